// The edges table as a graph: its nodes are the tasks, then the joins.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "pto/trace.h"

namespace pto {

class Graph {
 public:
  // Throws LoadError for edges from or to tasks that there are not, and for edges in a circle.
  explicit Graph(const Trace& trace);

  size_t nodes() const { return order_.size(); }
  size_t tasks() const { return tasks_; }
  bool is_task(size_t node) const { return node < tasks_; }
  // All nodes, each after its sources.
  const std::vector<uint32_t>& order() const { return order_; }
  // In order of the table.
  std::span<const uint32_t> sources(size_t node) const {
    return {sources_.data() + first_[node], sources_.data() + first_[node + 1]};
  }

 private:
  size_t node_of(int64_t id) const;
  void sort_topologically();

  size_t tasks_, joins_ = 0;
  std::vector<size_t> first_;  // of each node, in sources_
  std::vector<uint32_t> sources_;
  std::vector<uint32_t> order_;
};

}  // namespace pto
