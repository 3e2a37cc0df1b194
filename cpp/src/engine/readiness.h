// When a task becomes ready: it is published and all its sources are resolved (rule 12).
#pragma once

#include <algorithm>
#include <vector>

#include "engine/machine_state.h"

namespace pto {

class Readiness {
 public:
  explicit Readiness(MachineState& state) : state_(state) {}

  // One of the sources of a published task is resolved at `time`, now or later. What was resolved last names the wait,
  // of equal times a channel.
  void resolve(int64_t id, int64_t time, Stall cause = Stall::DepWait) {
    Task& task = state_.tasks[id];
    if (time > task.ready || (time == task.ready && cause != Stall::DepWait)) task.waited = cause;
    task.ready = std::max(task.ready, time);
    if (--task.unresolved == 0) all_resolved(id, task.ready);
  }

  // Nothing of a published task is unresolved any more.
  void all_resolved(int64_t id, int64_t time) {
    if (time > state_.now) {
      state_.events.push(time, EventKind::Ready, id);
      ++pending_;
    } else {
      due_.push_back(id);
    }
  }

  // Phase Ready: true where tasks become ready in this cycle.
  bool find_due() {
    while (state_.events.has(EventKind::Ready)) {
      due_.push_back(state_.events.pop());
      --pending_;
    }
    return !due_.empty();
  }
  // These, in order of id. Valid until the next call.
  const std::vector<int64_t>& take_due() {
    taken_.clear();
    taken_.swap(due_);
    if (taken_.size() > 1) std::sort(taken_.begin(), taken_.end());
    return taken_;
  }

  // Tasks become ready in a later cycle.
  bool is_pending() const { return pending_ > 0; }

 private:
  MachineState& state_;
  std::vector<int64_t> due_, taken_;
  int64_t pending_ = 0;
};

}  // namespace pto
