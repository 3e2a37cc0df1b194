// At which scheduler a task is at home (rule 6). Known when the task is created, whatever the time.
#pragma once

#include <array>
#include <vector>

#include "engine/topology.h"
#include "pto/config.h"

namespace pto {

class Homes {
 public:
  static constexpr int kShared = -1;

  // Throws ScheduleError for two dispatch steps with one threshold.
  Homes(const MachineConfig& machine, const Schedule& schedule, const Topology& topology);

  // The home of the next task in program order, or kShared. `keys` are the task's, one per Schedule::keys.
  // Throws ScheduleError where the pool has no core of the kernel's unit, ExecutionError for a home that owns none.
  int next(const KernelInfo& kernel, int pool, const int64_t* keys);
  // No task has a home: nobody need ask.
  bool are_shared() const { return all_shared_; }

 private:
  const Dispatch& policy_of_next();
  [[noreturn]] void refuse_home(const KernelInfo& kernel, const Pool& pool, int64_t home) const;

  const Topology& topology_;
  int profile_schedulers_;
  std::vector<DispatchStep> steps_;  // by threshold
  bool all_shared_;                  // no step asks for homes
  size_t step_ = 0;
  int64_t created_ = 0;
  std::vector<std::array<int64_t, 2>> created_in_;  // by pool and unit
};

}  // namespace pto
