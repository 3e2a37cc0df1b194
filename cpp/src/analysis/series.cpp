#include <algorithm>

#include "pto/analysis.h"

namespace pto {
namespace {

// What happens first in a cycle.
enum class Within { AddFirst, RemoveFirst };

StepSeries count(std::vector<int64_t> added, std::vector<int64_t> removed, Within within) {
  std::sort(added.begin(), added.end());
  std::sort(removed.begin(), removed.end());
  StepSeries series;
  int64_t value = 0;
  for (size_t a = 0, r = 0; r < removed.size();) {
    const int64_t now = a < added.size() ? std::min(added[a], removed[r]) : removed[r];
    const int64_t before = value;
    int64_t entering = 0, leaving = 0;
    for (; a < added.size() && added[a] == now; ++a) ++entering;
    for (; r < removed.size() && removed[r] == now; ++r) ++leaving;
    value += entering - leaving;
    series.high_water = std::max(series.high_water, within == Within::AddFirst ? before + entering : value);
    if (value == before) continue;
    series.time.push_back(now);
    series.value.push_back(value);
  }
  return series;
}

}  // namespace

// A task retires in a cycle's first phase, before the orchestrator goes on.
StepSeries live_tasks(const Trace& trace) { return count(trace.tasks.submit, trace.tasks.retire, Within::RemoveFirst); }

// Tasks enter their queues before any is dispatched.
StepSeries ready_tasks(const Trace& trace) { return count(trace.tasks.ready, trace.tasks.dispatch, Within::AddFirst); }

}  // namespace pto
