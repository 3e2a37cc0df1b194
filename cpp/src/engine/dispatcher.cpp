#include "engine/dispatcher.h"

#include <algorithm>
#include <utility>

namespace pto {
namespace {

bool steals(const Schedule& schedule) {
  return schedule.ready == Ready::WorkSteal ||
         std::any_of(schedule.dispatch.begin(), schedule.dispatch.end(),
                     [](const DispatchStep& step) { return step.policy.kind == Dispatch::Kind::WorkSteal; });
}

// Some tasks have a home, or none (rule 6).
bool gives_homes(const Schedule& schedule, bool home) {
  const auto gives = [home](const DispatchStep& step) { return (step.policy.kind != Dispatch::Kind::Shared) == home; };
  return schedule.dispatch.empty() ? !home : std::any_of(schedule.dispatch.begin(), schedule.dispatch.end(), gives);
}

}  // namespace

Dispatcher::Dispatcher(MachineState& state, Placement& placement, Cores& cores)
    : state_(state),
      placement_(placement),
      cores_(cores),
      queues_(state, placement.streams()),
      lanes_(state.servers.size()),
      start_gate_(state.schedule),
      rate_gate_(state.schedule, state.machine.clock_hz),
      batch_gate_(state.schedule),
      batches_(state.schedule.timing == Timing::Batched),
      stealing_(steals(state.schedule)) {
  for (int s = 0; s < state.topology.schedulers; ++s) add_lanes(s);
}

void Dispatcher::add_lanes(int scheduler) {
  const std::vector<Pool>& pools = state_.topology.pools;
  for (int pool = 0; pool < static_cast<int>(pools.size()); ++pool) {
    const CoreLevels& cube = placement_.cores(scheduler, pool, PTO_CUBE);
    const CoreLevels& vector = placement_.cores(scheduler, pool, PTO_VECTOR);
    if (cube.size() + vector.size() == 0) continue;
    Lane& lane = lanes_[static_cast<size_t>(scheduler)].emplace_back();
    lane.pool = pool;
    if (gives_homes(state_.schedule, true)) lane.queues[0] = &queues_.own(scheduler, pool);
    if (gives_homes(state_.schedule, false)) lane.queues[1] = &queues_.shared(pool);
    lane.cores = {&cube, &vector};
    lane.scope = &placement_.scope(scheduler, pool);
    lane.both_units = pools[static_cast<size_t>(pool)].has_both_units();
    lane.unit = vector.size() == 0 ? PTO_CUBE : PTO_VECTOR;
  }
}

void Dispatcher::enter(const std::vector<int64_t>& tasks) {
  start_gate_.became_ready(static_cast<int64_t>(tasks.size()));
  if (!batches_) {
    for (const int64_t id : tasks) queues_.enter(id);
    return;
  }
  for (const int64_t id : tasks) {
    if (batch_gate_.hold(id)) enter_batch();
  }
}

void Dispatcher::enter_batch() {
  for (const int64_t id : batch_gate_.take()) queues_.enter(id);
}

void Dispatcher::dispatch() {
  bool moved = true;
  while (moved) {
    moved = false;
    for (int s = 0; s < state_.topology.schedulers; ++s) {
      while (may_dispatch(s) && dispatch_own(s)) moved = true;
    }
    // A scheduler that is alone has done all it can.
    if (state_.topology.schedulers == 1) return;
    for (int s = 0; stealing_ && s < state_.topology.schedulers; ++s) {
      while (may_dispatch(s) && steal(s)) moved = true;
    }
  }
}

void Dispatcher::update_gates(const OrchestratorState& orchestrator, bool more_ready) {
  while (state_.events.has(EventKind::Gate)) state_.events.pop();
  if (placement_.streams().limits()) release_opened();
  start_gate_.update(state_.now, orchestrator);
  const bool idle = queues_.all_empty() && placement_.in_flight() == 0 && !more_ready;
  if (idle && !batch_gate_.empty() && (orchestrator.waits || orchestrator.ended)) enter_batch();
  opened_ = std::max(start_gate_.opened(), rate_gate_.opens());
  gated_ = !start_gate_.is_open() || rate_gate_.limits() || batches_ || placement_.streams().limits();
}

void Dispatcher::release_opened() {
  for (const int64_t stream : placement_.streams().take_opened()) queues_.release(stream);
}

// Rule 9: of its queues' heads that find a core, the best by the ready policy.
inline bool Dispatcher::dispatch_own(int scheduler) {
  Choice best;
  for (const Lane& lane : lanes_[static_cast<size_t>(scheduler)]) {
    if (lane.is_empty() || !lane.has_room() || !lane.scope->is_open()) continue;
    for (ReadyQueue* queue : lane.queues) {
      if (queue != nullptr && !queue->empty()) consider(lane, *queue, best);
    }
  }
  if (best.queue == nullptr) return false;
  issue(scheduler, best, false);
  return true;
}

inline void Dispatcher::consider(const Lane& lane, ReadyQueue& queue, Choice& best) {
  const int64_t head = queue.head();
  if (head == ReadyQueue::kNone) return;
  Task& task = state_.tasks[head];
  const int core = lane.cores[task.unit]->least_loaded();
  if (core == CoreLevels::kNone) {
    task.found_no_core = true;
  } else if (best.queue == nullptr || std::pair(task.order, head) < std::pair(best.order, best.task)) {
    best = {&lane, &queue, core, head, task.order};
  }
}

// Rule 8: earlier pools first.
bool Dispatcher::steal(int scheduler) {
  for (const Lane& lane : lanes_[static_cast<size_t>(scheduler)]) {
    if (steal_into(scheduler, lane)) return true;
  }
  return false;
}

bool Dispatcher::steal_into(int scheduler, const Lane& lane) {
  if (!lane.is_empty() || !lane.scope->is_open()) return false;
  ReadyQueue* const victim = longest_other_queue(scheduler, lane.pool);
  if (victim == nullptr) return false;
  const int64_t id = victim->youngest();
  const Task& task = state_.tasks[id];
  const int core = lane.cores[task.unit]->idle();
  if (core == CoreLevels::kNone || held_by_stream(id)) return false;
  issue(scheduler, {&lane, victim, core, id, task.order}, true);
  return true;
}

bool Dispatcher::held_by_stream(int64_t id) {
  const StreamScopes& streams = placement_.streams();
  return streams.limits() && !streams.is_open(state_.tasks.details(id).stream);
}

// Most tasks, then the lower scheduler.
ReadyQueue* Dispatcher::longest_other_queue(int scheduler, int pool) {
  ReadyQueue* longest = nullptr;
  for (int s = 0; s < state_.topology.schedulers; ++s) {
    ReadyQueue& queue = queues_.own(s, pool);
    if (s == scheduler || queue.empty()) continue;
    if (longest == nullptr || queue.size() > longest->size()) longest = &queue;
  }
  return longest;
}

inline void Dispatcher::issue(int scheduler, const Choice& choice, bool stolen) {
  const RuntimeCosts& costs = state_.machine.costs;
  Server& server = state_.servers[static_cast<size_t>(scheduler)];
  Task& task = state_.tasks[choice.task];
  const int64_t cost = costs.dispatch + (stolen ? costs.steal : 0);
  queues_.left();
  task.scheduler = scheduler;
  task.core = choice.core;
  task.dispatch = state_.now;
  const int64_t dispatched = state_.now + cost;
  const Placement::Report& report = placement_.last_report(choice.core);
  const int64_t unblocked = choice.lane->both_units ? choice.queue->unblocked() : 0;
  cores_.append(choice.core, {choice.task, dispatched, dispatched + costs.dispatch_latency, report.arrival,
                              report.service_end, gate_opened(choice, task), unblocked});
  choice.queue->take(choice.task, task, state_.now);
  server.free_at = dispatched;
  if (cost > 0) state_.events.push(dispatched, EventKind::ServerFree, scheduler);
  server.stats.busy += cost;
  ++server.stats.dispatches;
  server.stats.steals += stolen ? 1 : 0;
  placement_.enter(choice.core);
  if (placement_.streams().limits()) enter_stream(choice);
  if (rate_gate_.limits()) {
    rate_gate_.dispatched(state_.now);
    opened_ = std::max(opened_, rate_gate_.opens());
    state_.events.push(rate_gate_.opens(), EventKind::Gate, 0);
  }
}

// The last opening of a gate that applies to the task (rule 14).
inline int64_t Dispatcher::gate_opened(const Choice& choice, const Task& task) {
  const int64_t opened = std::max({task.entered, opened_, choice.lane->scope->opened});
  const StreamScopes& streams = placement_.streams();
  return streams.limits() ? std::max(opened, streams.opened(state_.tasks.details(choice.task).stream)) : opened;
}

void Dispatcher::enter_stream(const Choice& choice) {
  const int64_t stream = state_.tasks.details(choice.task).stream;
  placement_.streams().enter(stream);
  if (placement_.streams().is_open(stream)) choice.queue->release(stream);
}

}  // namespace pto
