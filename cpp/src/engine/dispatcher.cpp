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
      queues_(state.topology),
      start_gate_(state.schedule),
      stealing_(steals(state.schedule)) {}

void Dispatcher::enter(const std::vector<int64_t>& tasks) {
  for (const int64_t id : tasks) {
    const Task& task = state_.tasks[id];
    queues_.enter(id, task, state_.topology.pool_of(static_cast<pto_unit>(task.unit)));
  }
  start_gate_.became_ready(static_cast<int64_t>(tasks.size()));
}

void Dispatcher::run(bool orchestrator_waits_or_ended) {
  start_gate_.update(state_.now, orchestrator_waits_or_ended);
  if (!start_gate_.is_open()) return;
  bool moved = true;
  while (moved && !queues_.all_empty()) {
    moved = false;
    for (int s = 0; s < state_.topology.schedulers; ++s) {
      while (is_free(s) && dispatch_own(s)) moved = true;
    }
    for (int s = 0; stealing_ && s < state_.topology.schedulers; ++s) {
      while (is_free(s) && steal(s)) moved = true;
    }
  }
}

// Rule 9: of its queues' heads that find a core, the best by the ready policy.
bool Dispatcher::dispatch_own(int scheduler) {
  Choice best;
  for (int pool = 0; pool < state_.topology.pools; ++pool) {
    if (!placement_.has_cores(scheduler, pool) || !placement_.scope_is_open(scheduler, pool)) continue;
    consider(scheduler, pool, queues_.own(scheduler, pool), best);
    consider(scheduler, pool, queues_.shared(pool), best);
  }
  if (best.queue == nullptr) return false;
  issue(scheduler, best, false);
  best.queue->take_head(state_.now);
  return true;
}

void Dispatcher::consider(int scheduler, int pool, ReadyQueue& queue, Choice& best) {
  if (queue.empty()) return;
  const int64_t head = queue.head();
  const int core = placement_.find_core(scheduler, pool, state_.tasks[head].unit);
  if (core == CoreGroup::kNone) {
    queue.head_found_no_core();
  } else if (best.queue == nullptr || better(head, best)) {
    best = {&queue, pool, core, head};
  }
}

bool Dispatcher::better(int64_t task, const Choice& best) {
  const int64_t ready = state_.tasks[task].ready;
  const int64_t best_ready = state_.tasks[best.task].ready;
  return ready != best_ready ? ready < best_ready : task < best.task;
}

// Rule 8: earlier pools first.
bool Dispatcher::steal(int scheduler) {
  for (int pool = 0; pool < state_.topology.pools; ++pool) {
    if (steal_from_pool(scheduler, pool)) return true;
  }
  return false;
}

bool Dispatcher::steal_from_pool(int scheduler, int pool) {
  if (!queues_.own(scheduler, pool).empty() || !queues_.shared(pool).empty()) return false;
  if (!placement_.scope_is_open(scheduler, pool)) return false;
  ReadyQueue* const victim = longest_other_queue(scheduler, pool);
  if (victim == nullptr) return false;
  const int64_t task = victim->youngest();
  const int core = placement_.find_idle_core(scheduler, pool, state_.tasks[task].unit);
  if (core == CoreGroup::kNone) return false;
  issue(scheduler, {victim, pool, core, task}, true);
  victim->take_youngest(state_.now);
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
  queues_.left();
  task.scheduler = scheduler;
  task.core = choice.core;
  task.dispatch = state_.now;
  task.dispatched = state_.now + cost;
  task.seen = task.dispatched + costs.dispatch_latency;
  task.last_report = placement_.last_report(choice.core).arrival;
  task.last_service_end = placement_.last_report(choice.core).service_end;
  task.gate_opened = std::max(start_gate_.opened(), placement_.scope_opened(scheduler, choice.pool));
  if (state_.topology.has_both_units()) task.head_unblocked = choice.queue->unblocked();
  server.free_at = task.dispatched;
  if (cost > 0) state_.events.push(task.dispatched, EventKind::ServerFree, scheduler);
  stats.busy += cost;
  ++stats.dispatches;
  stats.steals += stolen ? 1 : 0;
  placement_.enter(choice.core);
  cores_.append(choice.core, choice.task);
}

}  // namespace pto
