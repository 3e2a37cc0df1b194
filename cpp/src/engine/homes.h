// At which scheduler a task is at home (rule 6). Known when the task is created, whatever the time.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "engine/topology.h"
#include "pto/config.h"

namespace pto {

class Homes {
 public:
  static constexpr int kShared = -1;

  // Throws ScheduleError for two dispatch steps with one threshold.
  Homes(const MachineConfig& machine, const Schedule& schedule, const Topology& topology);

  // The home of the next task in program order, or kShared. `keys` may be null.
  // Throws ScheduleError where no core has the kernel's unit, or where a policy's key is missing.
  int next(const KernelInfo& kernel, const int64_t* keys);

 private:
  const Dispatch& policy_of_next();
  int round_robin(pto_unit unit, int below, int64_t k) const;

  const Topology& topology_;
  int profile_schedulers_;
  std::vector<DispatchStep> steps_;  // by threshold
  size_t step_ = 0;
  int64_t created_ = 0;
  std::array<int64_t, 2> created_of_unit_{};
};

}  // namespace pto
