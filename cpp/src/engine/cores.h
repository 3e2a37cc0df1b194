// Phase Cores: when tasks start and end (rules 10 and 11).
#pragma once

#include <algorithm>
#include <vector>

#include "engine/launch.h"
#include "engine/machine_state.h"
#include "engine/stalls.h"
#include "memory/shared_memory.h"

namespace pto {

class Cores {
 public:
  Cores(MachineState& state, Stalls& stalls);

  // A task is dispatched to `core`: it runs there after those dispatched before it.
  void append(int core, const Launch& launch) {
    Fifo<Launch>& launches = cores_[static_cast<size_t>(core)].launches;
    launches.push(launch);
    if (launches.size() == 1) schedule_start(core, launch);
  }
  // Starts the tasks whose start has come, lowest core first.
  void run() {
    if (state_.events.has(EventKind::Start) || !due_.empty()) start_due();
  }
  // Adds what the shared memories moved.
  void report(Stats& stats) const { memory_.report(stats); }

 private:
  void start_due();

  struct Core {
    Fifo<Launch> launches;  // dispatched, not started
    int64_t load_end = 0;   // of the task started last
    int64_t end = 0;
    size_t turn = 0;  // the next task's place in the core's part of ends_
  };
  // A cost's phases.
  struct Timing {
    int64_t load, work;  // work: compute and store
  };

  int64_t& end_of_depth_before(int core) {
    return ends_[static_cast<size_t>(core) * depth_ + cores_[static_cast<size_t>(core)].turn];
  }
  // The first waiting task's start is known: all tasks before it have started.
  void schedule_start(int core, const Launch& launch) {
    const int64_t free_at = std::max(cores_[static_cast<size_t>(core)].load_end, end_of_depth_before(core));
    const int64_t start = std::max(launch.seen, free_at) + state_.machine.costs.pickup;
    state_.tasks[launch.task].start = start;
    if (start > state_.now) {
      state_.events.push(start, EventKind::Start, core);
    } else {
      due_.push_back(core);
    }
  }
  void start(int core);
  const Timing& timing_of(uint32_t record) { return record < timings_.size() ? timings_[record] : add_timings(record); }
  void run_task(Core& core, int64_t id, Task& task);
  MemoryUse book(int64_t id, const Task& task);
  const Timing& add_timings(uint32_t record);

  MachineState& state_;
  Stalls& stalls_;
  SharedMemory memory_;
  const bool costs_given_, with_touches_;
  size_t depth_;
  std::vector<Timing> timings_;  // of the costs, as far as tasks had them
  std::vector<Core> cores_;
  std::vector<int64_t> ends_;  // by core: of its last `depth_` tasks, in turns; 0 where there was none
  std::vector<int> due_;       // cores with a start in this cycle that no event announces
};

}  // namespace pto
