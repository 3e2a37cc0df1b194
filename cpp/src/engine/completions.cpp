#include "engine/completions.h"

#include "engine/turns.h"

namespace pto {

void Completions::run() {
  while (state_.events.has(EventKind::ServerFree)) finish_service(static_cast<int>(state_.events.pop()));
  while (state_.events.has(EventKind::Report)) {
    const int64_t id = state_.events.pop();
    state_.servers[static_cast<size_t>(state_.tasks[id].scheduler)].reports.push(id);
    ++waiting_;
  }
  if (waiting_ > 0) {
    for (int s = 0; s < state_.topology.schedulers; ++s) begin_services(s);
  }
}

void Completions::begin_services(int scheduler) {
  Server& server = state_.servers[static_cast<size_t>(scheduler)];
  while (!server.reports.empty() && server.free_at <= state_.now) {
    const int64_t end = begin_service(server);
    state_.stats.schedulers[static_cast<size_t>(scheduler)].busy += end - state_.now;
    server.free_at = end;
    // A service of 0 cycles ends at once, and the next one begins.
    if (end == state_.now) {
      finish_service(scheduler);
    } else {
      state_.events.push(end, EventKind::ServerFree, scheduler);
    }
  }
}

// Up to `batch` reports that are there are served as one.
int64_t Completions::begin_service(Server& server) {
  int64_t turn = state_.now + state_.machine.costs.complete;
  for (int64_t n = 0; n < state_.schedule.batch && !server.reports.empty(); ++n) {
    const int64_t id = server.reports.front();
    server.reports.pop_front();
    --waiting_;
    server.serving.push_back(id);
    turn = serve(id, turn);
  }
  for (const int64_t id : server.serving) {
    Task& task = state_.tasks[id];
    task.service_end = turn;
    placement_.note_report(task.core, {task.end + state_.machine.costs.completion_latency, turn});
  }
  joins_.end_service(turn);
  return turn;
}

int64_t Completions::serve(int64_t id, int64_t turn) {
  Task& task = state_.tasks[id];
  task.served = true;
  if (!task.successors.empty()) turn = resolve_successors(task, turn);
  return task.detailed ? joins_.serve_member(id, turn) : turn;
}

int64_t Completions::resolve_successors(Task& task, int64_t turn) {
  Turns turns(state_, turn);
  while (!task.successors.empty()) {
    const int64_t successor = state_.links.pop(task.successors);
    if (!task.successors.empty()) state_.tasks.prefetch(state_.links.front(task.successors));
    readiness_.resolve(successor, turns.next(successor));
  }
  return turns.end();
}

void Completions::finish_service(int scheduler) {
  Server& server = state_.servers[static_cast<size_t>(scheduler)];
  for (const int64_t id : server.serving) {
    Task& task = state_.tasks[id];
    task.finished = true;
    placement_.leave(task.core);
    if (placement_.streams().limits()) placement_.streams().leave(state_.tasks.details(id).stream, state_.now);
  }
  state_.stats.schedulers[static_cast<size_t>(scheduler)].reports += static_cast<int64_t>(server.serving.size());
  server.serving.clear();
}

}  // namespace pto
