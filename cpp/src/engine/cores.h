// Phase Cores: when tasks start and end (rules 10 and 11).
#pragma once

#include <vector>

#include "engine/machine_state.h"
#include "engine/stalls.h"
#include "memory/shared_memory.h"

namespace pto {

class Cores {
 public:
  Cores(MachineState& state, Stalls& stalls);

  // A task is dispatched to `core`: it runs there after those dispatched before it.
  void append(int core, int64_t task);
  // Starts the tasks whose start has come, lowest core first.
  void run();
  // Adds what the shared memories moved.
  void report(Stats& stats) const { memory_.report(stats); }

 private:
  struct Core {
    int64_t first = kNoTask, last = kNoTask;  // dispatched, not started
    int64_t load_end = 0;                     // of the task started last
    int64_t end = 0;
    Fifo<int64_t> ends;  // of the last `depth_` tasks
  };
  // A cost's phases.
  struct Timing {
    int64_t load, work;  // work: compute and store
  };

  void schedule_start(int core);
  void start(int core);
  const Timing& timing_of(uint32_t record);
  void run_task(Core& core, Task& task);

  MachineState& state_;
  Stalls& stalls_;
  SharedMemory memory_;
  size_t depth_;
  std::vector<Timing> timings_;  // of the costs, as far as tasks had them
  std::vector<Core> cores_;
  std::vector<int> due_;  // cores with a start in this cycle that no event announces
};

}  // namespace pto
