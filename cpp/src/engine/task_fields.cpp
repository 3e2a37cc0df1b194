#include "engine/task_fields.h"

#include <string>

#include "pto/error.h"

namespace pto {
namespace {

void require_key(const Schedule& schedule, KeyIndex key, bool used, const char* policy) {
  if (!used || (key >= 0 && static_cast<size_t>(key) < schedule.keys.size())) return;
  throw ScheduleError(std::string(policy) + " needs a key function, and the schedule names none for it");
}

void check_keys(const Schedule& schedule) {
  for (const DispatchStep& step : schedule.dispatch) {
    const Dispatch::Kind kind = step.policy.kind;
    require_key(schedule, step.policy.key, kind == Dispatch::Kind::Affinity, "dispatch affinity");
    require_key(schedule, step.policy.key, kind == Dispatch::Kind::Hash, "dispatch hash");
    require_key(schedule, step.policy.key, kind == Dispatch::Kind::DispatchBy, "dispatch_by");
  }
  require_key(schedule, schedule.pool_key, schedule.pools == Pools::Custom, "pools custom");
  require_key(schedule, schedule.priority_key, schedule.ready == Ready::Priority, "ready priority");
  require_key(schedule, schedule.stream_key, schedule.stream_key != kNoKey, "stream_by");
  require_key(schedule, schedule.cost_key, schedule.cost_key != kNoKey, "trace cycles");
}

[[noreturn]] void refuse(int64_t id, const KernelInfo& kernel, const std::string& what) {
  throw ExecutionError("task " + std::to_string(id) + " (" + kernel.name + "): " + what);
}

}  // namespace

FieldReader::FieldReader(const Schedule& schedule, const Topology& topology, std::span<const TensorInfo> tensors)
    : schedule_(schedule), topology_(topology) {
  check_keys(schedule);
  for (const TensorInfo& tensor : tensors) element_bytes_.push_back(tensor.element_bytes);
  TaskFields fields;
  visit_used(schedule_, fields, [this](int64_t) { any_used_ = true; });
}

TaskFields FieldReader::read(int64_t id, const KernelInfo& kernel, const pto_task& task, int64_t stream) const {
  TaskFields fields;
  fields.stream = stream;
  fields.pool = topology_.pool_of(kernel.unit);
  if (schedule_.pools == Pools::Custom) {
    fields.pool = task.keys[schedule_.pool_key];
    const auto pools = static_cast<int64_t>(topology_.pools.size());
    if (fields.pool < 0 || fields.pool >= pools) {
      refuse(id, kernel,
             "its pool is " + std::to_string(fields.pool) + ", expected 0 to " + std::to_string(pools - 1) +
                 ", a position among the custom pools");
    }
  }
  if (schedule_.ready == Ready::Priority) fields.priority = task.keys[schedule_.priority_key];
  if (schedule_.cost_key != kNoKey) {
    fields.cost = task.keys[schedule_.cost_key];
    if (fields.cost < 1) {
      refuse(id, kernel, "the cost function gave " + std::to_string(fields.cost) + " cycles, expected at least 1");
    }
  }
  fields.size = window_size(kernel, task);
  return fields;
}

int64_t FieldReader::window_size(const KernelInfo& kernel, const pto_task& task) const {
  switch (schedule_.window_unit) {
    case WindowUnit::Tasks:
      return 1;
    case WindowUnit::Entries:
      return static_cast<int64_t>(kernel.roles.size());
    case WindowUnit::Bytes:
      return out_bytes(kernel, task);
  }
  return 1;
}

int64_t FieldReader::out_bytes(const KernelInfo& kernel, const pto_task& task) const {
  int64_t sum = 0;
  for (size_t i = 0; i < kernel.roles.size(); ++i) {
    if (kernel.roles[i] == PTO_IN) continue;
    const pto_region& region = task.operands[i];
    int64_t bytes = element_bytes_[region.tensor];
    for (uint32_t axis = 0; axis < region.rank; ++axis) bytes *= region.extent[axis];
    sum += bytes;
  }
  return sum;
}

}  // namespace pto
