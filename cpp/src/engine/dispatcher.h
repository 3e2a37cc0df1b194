// Phase Dispatch: schedulers hand ready tasks to cores (rules 5 to 9).
#pragma once

#include <array>
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
  // `news`: something entered, or a core or a scheduler may have become free. `more_ready`: tasks are about to become
  // ready in a later cycle.
  void run(bool news, const OrchestratorState& orchestrator, bool more_ready) {
    const bool look = news || gated_;
    if (gated_) update_gates(orchestrator, more_ready);
    if (look && start_gate_.is_open() && !queues_.all_empty()) dispatch();
  }

 private:
  // A pool as a scheduler sees it that owns cores there.
  struct Lane {
    int pool = 0;
    std::array<ReadyQueue*, 2> queues{};       // its own, the one that all schedulers share; null where no task comes
    std::array<const CoreLevels*, 2> cores{};  // by unit
    const Scope* scope = nullptr;
    bool both_units = false;   // the pool's queues may hold tasks of both
    pto_unit unit = PTO_CUBE;  // else of this one alone

    bool is_empty() const {
      return (queues[0] == nullptr || queues[0]->empty()) && (queues[1] == nullptr || queues[1]->empty());
    }
    // Where all tasks are of one unit, a head need not be looked at while no core is free: nobody stands in front.
    bool has_room() const { return both_units || cores[unit]->has_room(); }
  };
  struct Choice {
    const Lane* lane = nullptr;
    ReadyQueue* queue = nullptr;
    int core = CoreLevels::kNone;
    int64_t task = 0;
    int64_t order = 0;
  };

  bool may_dispatch(int scheduler) const {
    return state_.servers[static_cast<size_t>(scheduler)].free_at <= state_.now && rate_gate_.is_open(state_.now) &&
           !queues_.all_empty();
  }
  void dispatch();
  void update_gates(const OrchestratorState& orchestrator, bool more_ready);
  void add_lanes(int scheduler);
  void enter_batch();
  bool dispatch_own(int scheduler);
  void consider(const Lane& lane, ReadyQueue& queue, Choice& best);
  int64_t gate_opened(const Choice& choice, const Task& task);
  bool steal(int scheduler);
  bool steal_into(int scheduler, const Lane& lane);
  ReadyQueue* longest_other_queue(int scheduler, int pool);
  void release_opened();
  void enter_stream(const Choice& choice);
  bool held_by_stream(int64_t id);
  void issue(int scheduler, const Choice& choice, bool stolen);

  MachineState& state_;
  Placement& placement_;
  Cores& cores_;
  ReadyQueues queues_;
  std::vector<std::vector<Lane>> lanes_;  // by scheduler: earlier pools first
  StartGate start_gate_;
  RateGate rate_gate_;
  BatchGate batch_gate_;
  const bool batches_;
  bool stealing_;
  // A gate is closed or may close: else all that is ready is dispatched as cores become free.
  bool gated_ = true;
  int64_t opened_ = 0;  // when a gate of the machine opened last
};

}  // namespace pto
