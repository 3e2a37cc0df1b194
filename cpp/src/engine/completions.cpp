#include "engine/completions.h"

#include "engine/turns.h"

namespace pto {

bool Completions::serve_reports() {
  while (state_.events.has(EventKind::ServerFree)) {
    const auto scheduler = static_cast<size_t>(state_.events.pop());
    finish_service(state_.servers[scheduler]);
    news_.add(scheduler);
  }
  while (state_.events.has(EventKind::Report)) {
    const int64_t id = state_.events.pop();
    const auto scheduler = static_cast<size_t>(state_.tasks[id].scheduler);
    state_.servers[scheduler].reports.push(id);
    news_.add(scheduler);
  }
  bool freed = false;
  news_.take([&](size_t scheduler) {
    begin_services(scheduler);
    freed |= state_.servers[scheduler].free_at <= state_.now;
  });
  return freed;
}

inline void Completions::begin_services(size_t scheduler) {
  Server& server = state_.servers[scheduler];
  while (!server.reports.empty() && server.free_at <= state_.now) {
    const int64_t end = begin_service(server);
    server.stats.busy += end - state_.now;
    server.free_at = end;
    // A service of 0 cycles ends at once, and the next one begins.
    if (end == state_.now) {
      finish_service(server);
    } else {
      state_.events.push(end, EventKind::ServerFree, static_cast<int64_t>(scheduler));
    }
  }
}

// Up to `batch` reports that are there are served as one.
inline int64_t Completions::begin_service(Server& server) {
  const auto batch = static_cast<size_t>(state_.schedule.batch);
  int64_t end = state_.now + state_.machine.costs.complete;
  size_t count = 0;
  for (; count < batch && count < server.reports.size(); ++count) end = serve(server.reports[count], end);
  for (size_t i = 0; i < count; ++i) {
    Task& task = state_.tasks[server.reports[i]];
    task.service_end = end;
    placement_.note_report(task.core, {task.end + state_.machine.costs.completion_latency, end});
  }
  joins_.end_service(end);
  server.in_service = count;
  return end;
}

inline int64_t Completions::serve(int64_t id, int64_t turn) {
  Task& task = state_.tasks[id];
  task.served = true;
  if (!task.successors.empty()) turn = resolve_successors(task, turn);
  return task.detailed ? joins_.serve_member(id, turn) : turn;
}

inline int64_t Completions::resolve_successors(Task& task, int64_t turn) {
  Turns turns(state_, turn);
  while (!task.successors.empty()) {
    const int64_t successor = state_.links.pop(task.successors);
    if (!task.successors.empty()) state_.tasks.prefetch(state_.links.front(task.successors));
    readiness_.resolve(successor, turns.next(successor));
  }
  return turns.end();
}

inline void Completions::finish_service(Server& server) {
  server.stats.reports += static_cast<int64_t>(server.in_service);
  for (; server.in_service > 0; --server.in_service) {
    const int64_t id = server.reports.front();
    server.reports.pop_front();
    Task& task = state_.tasks[id];
    task.finished = true;
    placement_.leave(task.core);
    if (placement_.streams().limits()) placement_.streams().leave(state_.tasks.details(id).stream, state_.now);
  }
}

}  // namespace pto
