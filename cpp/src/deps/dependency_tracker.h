// Which earlier tasks a task depends on (rule 2 of docs/execution-model.md).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "pto/abi.h"
#include "pto/stats.h"

namespace pto {

struct Edge {
  int64_t source;
  EdgeKind kind;
};

// Sees every task in program order. What it answers depends on the accesses, the ids and the window, never on time.
class DependencyTracker {
 public:
  virtual ~DependencyTracker() = default;

  // Replaces `edges` by those into task `id`: one per source, sources ascending, each of the first kind that holds.
  // Then the task's accesses become part of the state. Ids ascend; `roles` has one role per operand.
  virtual void add_task(int64_t id, std::span<const pto_region> operands, std::span<const pto_role> roles,
                        std::vector<Edge>& edges) = 0;

  // Rule 4: does a live write share an element with `region`? `writers` becomes those tasks, ascending, among the
  // ones that can still be alive when task `next_id` is about to be created.
  virtual bool find_writers(const pto_region& region, int64_t next_id, std::vector<int64_t>& writers) = 0;
};

}  // namespace pto
