#include "engine/dispatcher.h"

#include <algorithm>

namespace pto {
namespace {

bool steals(const Schedule& schedule) {
  return schedule.ready == Ready::WorkSteal ||
         std::any_of(schedule.dispatch.begin(), schedule.dispatch.end(),
                     [](const DispatchStep& step) { return step.policy.kind == Dispatch::Kind::WorkSteal; });
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
      stealing_(steals(state.schedule)) {
  for (int s = 0; s < state.topology.schedulers; ++s) add_lanes(s);
}

void Dispatcher::add_lanes(int scheduler) {
  const std::vector<Pool>& pools = state_.topology.pools;
  for (int pool = 0; pool < static_cast<int>(pools.size()); ++pool) {
    const CoreLevels& cube = placement_.cores(scheduler, pool, PTO_CUBE);
    const CoreLevels& vector = placement_.cores(scheduler, pool, PTO_VECTOR);
    if (cube.size() + vector.size() == 0) continue;
    lanes_[static_cast<size_t>(scheduler)].push_back({pool,
                                                      {&queues_.own(scheduler, pool), &queues_.shared(pool)},
                                                      {&cube, &vector},
                                                      &placement_.scope(scheduler, pool),
                                                      pools[static_cast<size_t>(pool)].has_both_units()});
  }
}

void Dispatcher::enter(const std::vector<int64_t>& tasks) {
  start_gate_.became_ready(static_cast<int64_t>(tasks.size()));
  if (state_.schedule.timing != Timing::Batched) {
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

void Dispatcher::run(const OrchestratorState& orchestrator, bool more_ready) {
  while (state_.events.has(EventKind::Gate)) state_.events.pop();
  for (const int64_t stream : placement_.streams().take_opened()) queues_.release(stream);
  start_gate_.update(state_.now, orchestrator);
  const bool idle = queues_.all_empty() && placement_.in_flight() == 0 && !more_ready;
  if (idle && !batch_gate_.empty() && (orchestrator.waits || orchestrator.ended)) enter_batch();
  if (!start_gate_.is_open()) return;
  bool moved = true;
  while (moved && !queues_.all_empty()) {
    moved = false;
    for (int s = 0; s < state_.topology.schedulers; ++s) {
      while (!queues_.all_empty() && may_dispatch(s) && dispatch_own(s)) moved = true;
    }
    for (int s = 0; stealing_ && s < state_.topology.schedulers; ++s) {
      while (!queues_.all_empty() && may_dispatch(s) && steal(s)) moved = true;
    }
  }
}

// Rule 9: of its queues' heads that find a core, the best by the ready policy.
bool Dispatcher::dispatch_own(int scheduler) {
  Choice best;
  for (const Lane& lane : lanes_[static_cast<size_t>(scheduler)]) {
    if (lane.is_empty() || !lane.scope->is_open()) continue;
    // Where all tasks are of one unit, a head need not be looked at while no core is free: nobody stands in front.
    if (!lane.both_units && !lane.has_room()) continue;
    for (ReadyQueue* queue : lane.queues) consider(lane, *queue, best);
  }
  if (best.queue == nullptr) return false;
  issue(scheduler, best, false);
  return true;
}

void Dispatcher::consider(const Lane& lane, ReadyQueue& queue, Choice& best) {
  const int64_t head = queue.head();
  if (head == ReadyQueue::kNone) return;
  Task& task = state_.tasks[head];
  const int core = lane.cores[task.unit]->least_loaded();
  if (core == CoreLevels::kNone) {
    task.found_no_core = true;
  } else if (best.queue == nullptr || better(head, best)) {
    best = {&lane, &queue, core, head};
  }
}

bool Dispatcher::better(int64_t task, const Choice& best) {
  const int64_t order = state_.tasks[task].order;
  const int64_t best_order = state_.tasks[best.task].order;
  return order != best_order ? order < best_order : task < best.task;
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
  if (core == CoreLevels::kNone || !placement_.streams().is_open(task.stream)) return false;
  issue(scheduler, {&lane, victim, core, id}, true);
  return true;
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

void Dispatcher::issue(int scheduler, const Choice& choice, bool stolen) {
  const RuntimeCosts& costs = state_.machine.costs;
  Server& server = state_.servers[static_cast<size_t>(scheduler)];
  SchedulerStats& stats = state_.stats.schedulers[static_cast<size_t>(scheduler)];
  Task& task = state_.tasks[choice.task];
  const int64_t cost = costs.dispatch + (stolen ? costs.steal : 0);
  StreamScopes& streams = placement_.streams();
  queues_.left();
  task.scheduler = scheduler;
  task.core = choice.core;
  task.dispatch = state_.now;
  task.dispatched = state_.now + cost;
  task.seen = task.dispatched + costs.dispatch_latency;
  task.last_report = placement_.last_report(choice.core).arrival;
  task.last_service_end = placement_.last_report(choice.core).service_end;
  task.gate_opened = std::max({task.entered, start_gate_.opened(), rate_gate_.opens(), choice.lane->scope->opened,
                               streams.opened(task.stream)});
  if (choice.lane->both_units) task.head_unblocked = choice.queue->unblocked();
  choice.queue->take(choice.task, task, state_.now);
  server.free_at = task.dispatched;
  if (cost > 0) state_.events.push(task.dispatched, EventKind::ServerFree, scheduler);
  stats.busy += cost;
  ++stats.dispatches;
  stats.steals += stolen ? 1 : 0;
  placement_.enter(choice.core);
  streams.enter(task.stream);
  if (streams.is_open(task.stream)) choice.queue->release(task.stream);
  if (rate_gate_.limits()) {
    rate_gate_.dispatched(state_.now);
    state_.events.push(rate_gate_.opens(), EventKind::Gate, 0);
  }
  cores_.append(choice.core, choice.task);
}

}  // namespace pto
