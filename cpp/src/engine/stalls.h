// What every core cycle went to (rule 14): tasks and stalls tile [0, makespan] on every core.
#pragma once

#include <vector>

#include "engine/launch.h"
#include "engine/machine_state.h"

namespace pto {

class Stalls {
 public:
  explicit Stalls(MachineState& state) : state_(state), costs_given_(state.schedule.cost_key != kNoKey) {
    for (const CorePlace& core : state.topology.cores)
      cores_.push_back({&state.stats.pools[static_cast<size_t>(core.group)]});
  }

  // The task's times are known; `end_before` is the end of the task before it on its core, or 0.
  void task_starts(const Launch& launch, const Task& task, int64_t end_before);
  // After the last task.
  void drain();

 private:
  struct Core {
    PoolStats* pool;
    int64_t last_end = 0;
  };

  void cut_gap(const Launch& launch, const Task& task, int64_t begin);
  void book(const Launch& launch, const Task& task, int64_t from, int64_t to, Stall cause);

  MachineState& state_;
  const bool costs_given_;  // by a cost function
  std::vector<Core> cores_;
};

}  // namespace pto
