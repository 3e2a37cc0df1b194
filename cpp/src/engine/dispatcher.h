// Phase Dispatch: schedulers hand ready tasks to cores (rules 5 to 9).
#pragma once

#include <vector>

#include "engine/cores.h"
#include "engine/machine_state.h"
#include "engine/placement.h"
#include "engine/ready_queues.h"
#include "engine/start_gate.h"
#include "engine/timing_gates.h"

namespace pto {

class Dispatcher {
 public:
  Dispatcher(MachineState& state, Placement& placement, Cores& cores);

  // Phase Ready: the tasks that became ready, in order of id, enter their queues.
  void enter(const std::vector<int64_t>& tasks);
  // Every scheduler dispatches from its own queues, then every one steals, and so again until nothing moves.
  // `more_ready`: tasks are about to become ready in a later cycle.
  void run(const OrchestratorState& orchestrator, bool more_ready);

 private:
  struct Choice {
    ReadyQueue* queue = nullptr;
    int pool = 0;
    int core = CoreLevels::kNone;
    int64_t task = 0;
  };

  bool may_dispatch(int scheduler) const {
    return state_.servers[static_cast<size_t>(scheduler)].free_at <= state_.now && rate_gate_.is_open(state_.now);
  }
  void enter_batch();
  bool dispatch_own(int scheduler);
  void consider(int scheduler, int pool, ReadyQueue& queue, Choice& best);
  bool better(int64_t task, const Choice& best);
  bool steal(int scheduler);
  bool steal_from_pool(int scheduler, int pool);
  ReadyQueue* longest_other_queue(int scheduler, int pool);
  void issue(int scheduler, const Choice& choice, bool stolen);

  MachineState& state_;
  Placement& placement_;
  Cores& cores_;
  ReadyQueues queues_;
  StartGate start_gate_;
  RateGate rate_gate_;
  BatchGate batch_gate_;
  bool stealing_;
};

}  // namespace pto
