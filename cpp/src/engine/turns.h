// The turns in which a service resolves tasks, one after the other (rule 12).
#pragma once

#include "engine/machine_state.h"

namespace pto {

// For one report's successors, or for one join's waiters, in order of id.
class Turns {
 public:
  Turns(const MachineState& state, int64_t begin)
      : resolve_(state.machine.costs.resolve), compress_(state.schedule.range_compression), end_(begin) {}

  // The end of the task's turn: with range compression a run of consecutive ids shares one.
  int64_t next(int64_t task) {
    if (!compress_ || task != previous_ + 1) end_ += resolve_;
    previous_ = task;
    return end_;
  }
  int64_t end() const { return end_; }

 private:
  int64_t resolve_;
  bool compress_;
  int64_t end_;
  int64_t previous_ = -2;  // no task follows it
};

}  // namespace pto
