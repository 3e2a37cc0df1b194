// Tasks leave the window in order (rule 3), and their rows go to the trace.
#pragma once

#include "engine/machine_state.h"

namespace pto {

class Retirement {
 public:
  explicit Retirement(MachineState& state)
      : state_(state),
        counts_tasks_(state.schedule.window_unit == WindowUnit::Tasks),
        with_touches_(SharedMemory::has_l2(state.machine, state.schedule)) {}

  // A task retires when it is finished and the task before it has retired.
  void run() {
    while (!state_.window.empty() && state_.tasks[state_.window.oldest()].finished) {
      const int64_t id = state_.window.oldest();
      if (state_.trace != nullptr) trace_row(id);
      if (with_touches_) state_.touches.release(state_.tasks.details(id).touch_count);
      state_.tasks.prefetch(id + kAhead);
      state_.window.retire_oldest(counts_tasks_ ? 1 : state_.tasks.details(id).size);
    }
  }

 private:
  // Tasks mostly run in the order of their ids: by the time that those so far ahead do, they are in the cache.
  static constexpr int64_t kAhead = 128;

  void trace_row(int64_t id);

  MachineState& state_;
  const bool counts_tasks_, with_touches_;
  std::vector<int64_t> axes_;
};

}  // namespace pto
