// Which earlier tasks a task depends on (rule 2 of docs/execution-model.md).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "deps/edge_collector.h"
#include "pto/abi.h"

namespace pto {

// Sees every task in program order. What it answers depends on the accesses, the ids and the window, never on time.
class DependencyTracker {
 public:
  virtual ~DependencyTracker() = default;

  // Adds the edges into task `id` to `edges`. Then the task's accesses become part of the state. Ids ascend; `roles`
  // has one role per operand.
  virtual void collect(int64_t id, std::span<const pto_region> operands, std::span<const pto_role> roles,
                       EdgeCollector& edges) = 0;
  // The same; replaces `edges`: one per source, sources ascending, each of the first kind that holds.
  void add_task(int64_t id, std::span<const pto_region> operands, std::span<const pto_role> roles,
                std::vector<Edge>& edges) {
    collect(id, operands, roles, collector_);
    collector_.take(edges);
  }

  // Rule 4: does a live write share an element with `region`? `writers` becomes those tasks, ascending, among the
  // ones that can still be alive when task `next_id` is about to be created.
  virtual bool find_writers(const pto_region& region, int64_t next_id, std::vector<int64_t>& writers) = 0;

 private:
  EdgeCollector collector_;
};

}  // namespace pto
