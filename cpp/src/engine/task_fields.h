// What a schedule's key functions and window say of a task: it travels with the task's record.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/topology.h"
#include "pto/config.h"
#include "pto/source.h"

namespace pto {

struct TaskFields {
  int64_t stream = -1;  // none
  int64_t pool = 0;
  int64_t priority = 0;  // lower first
  int64_t cost = 0;      // cycles, instead of the kernel's
  int64_t size = 1;      // in units of the window
};

// Calls `visit` for each field that the schedule uses, in one order for writer and reader.
template <typename Visit>
void visit_used(const Schedule& schedule, TaskFields& fields, Visit visit) {
  if (schedule.streams > 0) visit(fields.stream);
  if (schedule.pools == Pools::Custom) visit(fields.pool);
  if (schedule.ready == Ready::Priority) visit(fields.priority);
  if (schedule.cost_key != kNoKey) visit(fields.cost);
  if (schedule.window_unit != WindowUnit::Tasks) visit(fields.size);
}

inline bool uses_fields(const Schedule& schedule) {
  bool any = false;
  TaskFields fields;
  visit_used(schedule, fields, [&any](int64_t&) { any = true; });
  return any;
}

// Evaluated on the caller's side, task after task.
class FieldReader {
 public:
  // Throws ScheduleError for a policy without its key function.
  FieldReader(const Schedule& schedule, const Topology& topology, std::span<const TensorInfo> tensors);

  // Throws ExecutionError, with the task and the value, for a pool or a cost that cannot be.
  TaskFields read(int64_t id, const KernelInfo& kernel, const pto_task& task, int64_t stream) const;
  // Does the schedule use a field at all?
  bool any_used() const { return any_used_; }

 private:
  int64_t window_size(const KernelInfo& kernel, const pto_task& task) const;
  int64_t out_bytes(const KernelInfo& kernel, const pto_task& task) const;

  const Schedule schedule_;
  const Topology& topology_;
  bool any_used_ = false;
  std::vector<int64_t> element_bytes_;  // by tensor
};

}  // namespace pto
