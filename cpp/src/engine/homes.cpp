#include "engine/homes.h"

#include <algorithm>
#include <string>

#include "pto/error.h"

namespace pto {
namespace {

uint64_t splitmix64(uint64_t x) {
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

int floor_modulo(int64_t value, int64_t count) {
  const int64_t remainder = value % count;
  return static_cast<int>(remainder < 0 ? remainder + count : remainder);
}

}  // namespace

Homes::Homes(const MachineConfig& machine, const Schedule& schedule, const Topology& topology)
    : topology_(topology),
      profile_schedulers_(machine.schedulers),
      steps_(schedule.dispatch),
      all_shared_(std::all_of(steps_.begin(), steps_.end(),
                              [](const DispatchStep& step) { return step.policy.kind == Dispatch::Kind::Shared; })),
      created_in_(topology.pools.size()) {
  std::sort(steps_.begin(), steps_.end(),
            [](const DispatchStep& a, const DispatchStep& b) { return a.threshold < b.threshold; });
  for (size_t i = 1; i < steps_.size(); ++i) {
    if (steps_[i].threshold == steps_[i - 1].threshold) {
      throw ScheduleError("dispatch_threshold " + std::to_string(steps_[i].threshold) +
                          " is given twice: name one policy for it");
    }
  }
}

// Task i uses the policy of the largest threshold <= i + 1, below all thresholds that of the smallest.
const Dispatch& Homes::policy_of_next() {
  ++created_;
  while (step_ + 1 < steps_.size() && steps_[step_ + 1].threshold <= created_) ++step_;
  return steps_[step_].policy;
}

int Homes::next(const KernelInfo& kernel, int pool_index, const int64_t* keys) {
  const Pool& pool = topology_.pools[static_cast<size_t>(pool_index)];
  const int owners = pool.owners[kernel.unit];
  const char* const unit = kernel.unit == PTO_CUBE ? "cube" : "vector";
  if (owners == 0) {
    throw ScheduleError("kernel '" + kernel.name + "' needs a " + unit + " core, and pool `" + pool.name +
                        "` has none: raise `cores." + unit + "`, or the pool's share of it");
  }
  const int64_t k = created_in_[static_cast<size_t>(pool_index)][kernel.unit]++;
  const Dispatch& policy = policy_of_next();
  switch (policy.kind) {
    case Dispatch::Kind::Shared:
      return kShared;
    case Dispatch::Kind::RoundRobin:
      return floor_modulo(k, std::min(owners, policy.schedulers > 0 ? policy.schedulers : profile_schedulers_));
    case Dispatch::Kind::WorkSteal:
      return floor_modulo(k, owners);
    case Dispatch::Kind::Affinity:
      return floor_modulo(keys[policy.key], owners);
    case Dispatch::Kind::Hash:
      return static_cast<int>(splitmix64(static_cast<uint64_t>(keys[policy.key])) % static_cast<uint64_t>(owners));
    case Dispatch::Kind::DispatchBy:
      if (keys[policy.key] < 0 || keys[policy.key] >= owners) refuse_home(kernel, pool, keys[policy.key]);
      return static_cast<int>(keys[policy.key]);
  }
  return kShared;
}

void Homes::refuse_home(const KernelInfo& kernel, const Pool& pool, int64_t home) const {
  throw ExecutionError("task " + std::to_string(created_ - 1) + " (" + kernel.name + "): dispatch_by gave scheduler " +
                       std::to_string(home) + ", expected 0 to " + std::to_string(pool.owners[kernel.unit] - 1) +
                       ", which own " + (kernel.unit == PTO_CUBE ? "cube" : "vector") + " cores of pool `" + pool.name +
                       "`");
}

}  // namespace pto
