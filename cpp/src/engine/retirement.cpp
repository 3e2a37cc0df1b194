#include "engine/retirement.h"

namespace pto {

namespace {

const char* bound_by(const Task& task, const TaskDetails& details, const KernelCost& cost) {
  if (details.cost > 0) return "compute";
  switch (task.memory) {
    case MemoryLevel::Hbm:
      return "hbm";
    case MemoryLevel::L2:
      return "l2";
    case MemoryLevel::None:
      break;
  }
  return cost.bound_by;
}

}  // namespace

void Retirement::trace_row(int64_t id) {
  const Task& task = state_.tasks[id];
  const TaskDetails& details = state_.tasks.details(id);
  axes_.clear();
  for (uint32_t i = 0; i < task.axis_count; ++i) {
    axes_.push_back(state_.axes.front());
    state_.axes.pop_front();
  }
  TaskRow row{};
  row.task = id;
  row.kernel = task.kernel;
  row.site = task.site;
  row.unit = static_cast<pto_unit>(task.unit);
  row.core = task.core;
  row.scheduler = task.scheduler;
  row.pool = task.pool;
  row.stream = details.stream;
  row.submit = task.submit;
  row.ready = task.ready;
  row.dispatch = task.dispatch;
  row.start = task.start;
  row.end = task.end;
  row.retire = state_.now;
  row.published = task.published;
  row.duration = details.duration;
  row.waited_for = details.waited_for;
  row.before_submit = task.before_submit;
  row.hbm_bytes = details.hbm_bytes;
  row.bound_by = bound_by(task, details, state_.costs[task.record]);
  row.axes = axes_.data();
  row.axis_count = task.axis_count;
  state_.trace->task(row);
}

}  // namespace pto
