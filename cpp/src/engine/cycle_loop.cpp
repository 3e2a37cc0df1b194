#include "engine/cycle_loop.h"

#include <string>
#include <utility>

#include "pto/error.h"

namespace pto {

CycleLoop::CycleLoop(const MachineConfig& machine, const Schedule& schedule, std::span<const KernelInfo> kernels,
                     std::span<const pto_site> sites, TraceSink* trace, RecordStream& stream)
    : state_(machine, schedule, kernels, sites, trace),
      stream_(stream),
      readiness_(state_),
      joins_(state_, readiness_),
      placement_(state_),
      stalls_(state_),
      cores_(state_, stalls_),
      dispatcher_(state_, placement_, cores_),
      completions_(state_, readiness_, joins_, placement_),
      retirement_(state_),
      orchestrator_(state_, readiness_, joins_, stream) {}

Stats CycleLoop::run() {
  run_cycle();
  while (!orchestrator_.state().ended || !state_.window.empty()) {
    advance();
    run_cycle();
  }
  stalls_.drain();
  cores_.report(state_.stats);
  for (const Server& server : state_.servers) state_.stats.schedulers.push_back(server.stats);
  state_.stats.tasks = state_.window.submitted();
  state_.stats.window_high_water = state_.window.high_water();
  return std::move(state_.stats);
}

// No phase makes work of the same cycle for an earlier one: each is done once.
void CycleLoop::run_cycle() {
  const bool freed = completions_.run();
  retirement_.run();
  orchestrator_.run();
  const bool ready = readiness_.find_due();
  if (ready) dispatcher_.enter(readiness_.take_due());
  dispatcher_.run(freed || ready, orchestrator_.state(), readiness_.is_pending());
  cores_.run();
}

// To the next cycle in which anything happens.
void CycleLoop::advance() {
  if (stream_.stopped()) throw Stopped();
  const int64_t next = state_.events.advance();
  if (next == EventQueue::kNever) refuse_deadlock();
  state_.now = next;
}

void CycleLoop::refuse_deadlock() const {
  throw ExecutionError("deadlock in cycle " + std::to_string(state_.now) + ": " + orchestrator_.wait_name() +
                       ", and task " + std::to_string(state_.window.oldest()) + ", the oldest live one, never ends");
}

}  // namespace pto
