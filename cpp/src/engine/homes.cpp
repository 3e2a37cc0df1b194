#include "engine/homes.h"

#include <algorithm>

#include "pto/error.h"

namespace pto {

Homes::Homes(const MachineConfig& machine, const Schedule& schedule, const Topology& topology)
    : topology_(topology), profile_schedulers_(machine.schedulers), steps_(schedule.dispatch) {
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

int Homes::next(const KernelInfo& kernel, const int64_t* keys) {
  const std::vector<int>& owners = topology_.owners[kernel.unit];
  if (owners.empty()) {
    throw ScheduleError("kernel '" + kernel.name + "' needs a " +
                        (kernel.unit == PTO_CUBE ? "cube core: cores.cube" : "vector core: cores.vector") +
                        " is 0, it must be at least 1");
  }
  const int64_t k = created_of_unit_[kernel.unit]++;
  const Dispatch& policy = policy_of_next();
  switch (policy.kind) {
    case Dispatch::Kind::Shared:
      return kShared;
    case Dispatch::Kind::RoundRobin:
      return round_robin(kernel.unit, policy.schedulers > 0 ? policy.schedulers : profile_schedulers_, k);
    case Dispatch::Kind::WorkSteal:
      return round_robin(kernel.unit, topology_.schedulers, k);
    case Dispatch::Kind::Affinity:
    case Dispatch::Kind::Hash:
    case Dispatch::Kind::DispatchBy:
      break;
  }
  const auto count = static_cast<int64_t>(owners.size());
  const int64_t remainder = keys[policy.key] % count;
  return owners[static_cast<size_t>(remainder < 0 ? remainder + count : remainder)];
}

// Owners are 0, 1, ...: those below n are the first ones.
int Homes::round_robin(pto_unit unit, int below, int64_t k) const {
  const std::vector<int>& owners = topology_.owners[unit];
  const auto count = static_cast<int64_t>(std::min(owners.size(), static_cast<size_t>(below)));
  return owners[static_cast<size_t>(k % count)];
}

}  // namespace pto
