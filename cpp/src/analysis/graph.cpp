#include "analysis/graph.h"

#include <algorithm>
#include <numeric>

#include "pto/error.h"
#include "trace/columns.h"

namespace pto {

Graph::Graph(const Trace& trace) : tasks_(row_count(trace.tasks)) {
  const EdgeColumns& edges = trace.edges;
  for (const auto* column : {&edges.src, &edges.dst}) {
    for (const int64_t id : *column) {
      if (id >= static_cast<int64_t>(tasks_) || id < -static_cast<int64_t>(row_count(edges))) {
        throw LoadError("the trace is damaged: an edge names " + std::to_string(id) + ", which is no task of it");
      }
      if (id < 0) joins_ = std::max(joins_, static_cast<size_t>(-id));
    }
  }
  const size_t count = tasks_ + joins_;
  first_.assign(count + 1, 0);
  for (const int64_t id : edges.dst) ++first_[node_of(id) + 1];
  std::partial_sum(first_.begin(), first_.end(), first_.begin());
  sources_.resize(row_count(edges));
  std::vector<size_t> next(first_.begin(), first_.end() - 1);
  for (size_t i = 0; i < row_count(edges); ++i) {
    sources_[next[node_of(edges.dst[i])]++] = static_cast<uint32_t>(node_of(edges.src[i]));
  }
  sort_topologically();
}

size_t Graph::node_of(int64_t id) const {
  return id >= 0 ? static_cast<size_t>(id) : tasks_ + static_cast<size_t>(-id - 1);
}

// Tasks depend on earlier ones only, so their order is known; a join is entered before the first task that waits for
// it, by descending into its sources.
void Graph::sort_topologically() {
  const size_t count = tasks_ + joins_;
  enum : uint8_t { kNew, kOpen, kDone };
  std::vector<uint8_t> state(count, kNew);
  std::vector<uint32_t> stack;
  order_.reserve(count);
  for (size_t root = 0; root < count; ++root) {
    if (state[root] == kNew) stack.push_back(static_cast<uint32_t>(root));
    while (!stack.empty()) {
      const uint32_t node = stack.back();
      if (state[node] != kNew) {
        stack.pop_back();
        if (state[node] == kOpen) order_.push_back(node);
        state[node] = kDone;
        continue;
      }
      state[node] = kOpen;
      for (const uint32_t source : sources(node)) {
        if (state[source] == kOpen) throw LoadError("the trace is damaged: its edges go round in a circle");
        if (state[source] == kNew) stack.push_back(source);
      }
    }
  }
}

}  // namespace pto
