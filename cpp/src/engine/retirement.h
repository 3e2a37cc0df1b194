// Tasks leave the window in order (rule 3), and their rows go to the trace.
#pragma once

#include "engine/machine_state.h"

namespace pto {

class Retirement {
 public:
  explicit Retirement(MachineState& state) : state_(state) {}

  // A task retires when it is finished and the task before it has retired.
  void run() {
    while (!state_.window.empty() && state_.tasks[state_.window.oldest()].finished) {
      if (state_.trace != nullptr) trace_row(state_.window.oldest());
      const Task& task = state_.tasks[state_.window.oldest()];
      state_.touches.release(task.touch_count);
      state_.window.retire_oldest(task.size);
    }
  }

 private:
  void trace_row(int64_t id);

  MachineState& state_;
  std::vector<int64_t> axes_;
};

}  // namespace pto
