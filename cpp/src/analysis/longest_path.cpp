#include <algorithm>

#include "analysis/graph.h"
#include "pto/analysis.h"

namespace pto {
namespace {

class Lengths {
 public:
  explicit Lengths(const Trace& trace) : graph_(trace), duration_(trace.tasks.duration) {
    duration_.resize(graph_.nodes());  // joins take no time
    find_begins();
    find_rests();
  }

  LongestPath path() const {
    LongestPath path;
    path.length = length_;
    for (size_t task = 0; task < graph_.tasks(); ++task) {
      path.slack.push_back(length_ - (begin_[task] + duration_[task] + rest_[task]));
    }
    for (size_t node = last(); node != kNone; node = before(node)) {
      if (!graph_.is_task(node)) continue;
      path.tasks.push_back(static_cast<int64_t>(node));
      path.begin.push_back(begin_[node]);
    }
    std::reverse(path.tasks.begin(), path.tasks.end());
    std::reverse(path.begin.begin(), path.begin.end());
    return path;
  }

 private:
  static constexpr size_t kNone = SIZE_MAX;

  void find_begins() {
    begin_.assign(graph_.nodes(), 0);
    for (const uint32_t node : graph_.order()) {
      for (const uint32_t source : graph_.sources(node)) {
        begin_[node] = std::max(begin_[node], begin_[source] + duration_[source]);
      }
      length_ = std::max(length_, begin_[node] + duration_[node]);
    }
  }
  void find_rests() {
    rest_.assign(graph_.nodes(), 0);
    for (size_t i = graph_.order().size(); i-- > 0;) {
      const uint32_t node = graph_.order()[i];
      for (const uint32_t source : graph_.sources(node)) {
        rest_[source] = std::max(rest_[source], duration_[node] + rest_[node]);
      }
    }
  }
  // Where several would do, the one of the lowest id.
  size_t last() const {
    for (size_t task = 0; task < graph_.tasks(); ++task) {
      if (begin_[task] + duration_[task] == length_) return task;
    }
    return kNone;
  }
  size_t before(size_t node) const {
    size_t best = kNone;
    for (const uint32_t source : graph_.sources(node)) {
      if (begin_[source] + duration_[source] == begin_[node]) best = std::min<size_t>(best, source);
    }
    return best;
  }

  Graph graph_;
  std::vector<int64_t> duration_;
  std::vector<int64_t> begin_;  // on an endless machine that costs nothing
  std::vector<int64_t> rest_;   // from a node's end to the end of all
  int64_t length_ = 0;
};

}  // namespace

LongestPath longest_path(const Trace& trace) { return Lengths(trace).path(); }

}  // namespace pto
