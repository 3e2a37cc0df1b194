#include <algorithm>
#include <numeric>
#include <tuple>

#include "memory/server.h"
#include "pto/analysis.h"

namespace pto {
namespace {

struct Transfer {
  int64_t begin, end, bytes;
};

// Rule 11's bookings once more: in order of start, then of core.
std::vector<Transfer> bookings(const Trace& trace) {
  const TaskColumns& t = trace.tasks;
  std::vector<size_t> order;
  for (size_t row = 0; row < t.task.size(); ++row) {
    if (t.hbm_bytes[row] > 0) order.push_back(row);
  }
  const auto key = [&t](size_t row) { return std::tuple(t.start[row], t.core[row], t.dispatch[row], t.task[row]); };
  std::sort(order.begin(), order.end(), [&key](size_t a, size_t b) { return key(a) < key(b); });
  MemoryServer hbm(trace.header.memory_bytes, trace.header.memory_cycles);
  std::vector<Transfer> found;
  for (const size_t row : order) {
    const int64_t bytes = t.hbm_bytes[row], time = hbm.time_of(bytes);
    const int64_t end = time > 0 ? hbm.book(t.start[row], 0, time).end : t.end[row];
    found.push_back({time > 0 ? end - time : t.start[row], end, bytes});
  }
  return found;
}

// Of a transfer, what has moved by then.
int64_t moved_by(const Transfer& transfer, int64_t now) {
  const int64_t passed = std::clamp(now, transfer.begin, transfer.end) - transfer.begin;
  return static_cast<int64_t>(static_cast<__int128>(transfer.bytes) * passed / (transfer.end - transfer.begin));
}

}  // namespace

Transfers hbm_transfers(const Trace& trace, int64_t bins) {
  const auto& ends = trace.tasks.end;
  const int64_t makespan = ends.empty() ? 0 : *std::max_element(ends.begin(), ends.end());
  Transfers found;
  bins = std::min(bins, makespan);
  for (int64_t i = 0; i <= bins; ++i) {
    const int64_t whole = makespan / std::max<int64_t>(bins, 1), rest = makespan - whole * bins;
    found.edges.push_back(whole * i + std::min(i, rest));
  }
  found.bytes.resize(static_cast<size_t>(bins));
  for (const Transfer& transfer : bookings(trace)) {
    const auto after = std::upper_bound(found.edges.begin(), found.edges.end(), transfer.begin);
    for (auto bin = static_cast<size_t>(after - found.edges.begin()) - 1; bin < found.bytes.size(); ++bin) {
      if (found.edges[bin] >= transfer.end) break;
      found.bytes[bin] += moved_by(transfer, found.edges[bin + 1]) - moved_by(transfer, found.edges[bin]);
    }
  }
  return found;
}

}  // namespace pto
