#include "engine/joins.h"

#include <algorithm>

#include "engine/turns.h"

namespace pto {

void Joins::enter(int64_t id) {
  if (scopes_.empty()) return;
  for (Scope& scope : scopes_) {  // outermost first
    if (scope.part == kNone) scope.part = create();
  }
  TaskDetails& task = state_.tasks.details(id);
  task.joined = scopes_.back().part;
  ++at(task.joined).unserved;
  for (size_t i = scopes_.size(); i-- > 0 && task.waits_for == kNone;) task.waits_for = scopes_[i].previous;
  if (task.waits_for != kNone) ++at(task.waits_for).holders;
}

void Joins::part() { close_part(scopes_.back()); }

void Joins::scope_end() {
  close_part(scopes_.back());
  const int32_t last = scopes_.back().previous;
  scopes_.pop_back();
  if (last == kNone) return;
  if (!scopes_.empty()) {
    // The scope counts in the part around it through its last part.
    const int32_t around = scopes_.back().part;
    Join& inner = at(last);
    Join& outer = at(around);
    note_edge(inner.number, outer.number);
    if (complete(inner)) {
      outer.end = std::max(outer.end, inner.end);
    } else {
      inner.around = around;
      ++outer.unserved;
    }
  }
  release(last);
}

void Joins::close_part(Scope& scope) {
  if (scope.part == kNone) return;
  at(scope.part).closed = true;
  if (scope.previous != kNone) release(scope.previous);
  scope.previous = scope.part;
  scope.part = kNone;
}

int32_t Joins::create() {
  int32_t join;
  if (free_.empty()) {
    join = static_cast<int32_t>(joins_.size());
    joins_.emplace_back();
  } else {
    join = free_.back();
    free_.pop_back();
    at(join) = Join{};
  }
  at(join).number = --created_;
  at(join).holders = 1;  // its scope
  return join;
}

void Joins::release(int32_t join) {
  --at(join).holders;
  free_if_done(join);
}

void Joins::free_if_done(int32_t join) {
  if (at(join).holders == 0 && complete(at(join))) free_.push_back(join);
}

void Joins::note_wait(int64_t id) {
  const int32_t join = state_.tasks.details(id).waits_for;
  if (join != kNone) note_edge(at(join).number, id);
}

void Joins::note_membership(int64_t id) {
  const TaskDetails& task = state_.tasks.details(id);
  if (task.joined != kNone) note_edge(id, at(task.joined).number);
  if (task.grouped != kNone) note_edge(id, at(task.grouped).number);
}

void Joins::note_edge(int64_t from, int64_t to) {
  if (state_.trace != nullptr) state_.trace->edge({from, to, EdgeKind::Structural});
  ++state_.stats.edges;
}

void Joins::add_join(int32_t join, int32_t around, Stall cause) {
  Join& inner = at(join);
  Join& outer = at(around);
  note_edge(inner.number, outer.number);
  if (complete(inner)) {
    outer.end = std::max(outer.end, inner.end);
  } else {
    state_.links.append(inner.others, int64_t{around} << 8 | static_cast<int64_t>(cause));
    ++outer.unserved;
  }
}

void Joins::exchange_scopes(size_t first, std::vector<Scope>& out, std::vector<Scope>& in) {
  const auto begin = scopes_.begin() + static_cast<std::ptrdiff_t>(first);
  out.assign(begin, scopes_.end());
  scopes_.erase(begin, scopes_.end());
  scopes_.insert(scopes_.end(), in.begin(), in.end());
  in.clear();
}

bool Joins::wait(int64_t id, int64_t& ready) {
  const int32_t waits_for = state_.tasks.details(id).waits_for;
  if (waits_for == kNone) return false;
  Join& join = at(waits_for);
  const bool waits = !complete(join);
  if (waits) {
    state_.links.append(join.waiters, id);
  } else {
    ready = std::max(ready, join.end);
  }
  release(waits_for);
  return waits;
}

int64_t Joins::serve_member(int64_t id, int64_t turn) {
  const TaskDetails& task = state_.tasks.details(id);
  if (task.joined != kNone) turn = serve_in(task.joined, turn);
  if (task.grouped != kNone) turn = serve_in(task.grouped, turn);
  return turn;
}

int64_t Joins::serve_in(int32_t join, int64_t turn) {
  turn = count_down(join, Stall::DepWait, turn);
  while (!to_count_.empty()) {
    const auto [next, cause] = to_count_.back();
    to_count_.pop_back();
    turn = count_down(next, cause, turn);
  }
  return turn;
}

// A member of the join is served. A join that this completes counts in others, which are to be counted down next.
int64_t Joins::count_down(int32_t join, Stall cause, int64_t turn) {
  Join& counted = at(join);
  served_.push_back(join);
  --counted.unserved;
  if (!complete(counted)) return turn;
  counted.cause = cause;
  turn = resolve_waiters(counted, turn);
  const size_t first = to_count_.size();
  const auto count_in = [&](int32_t around, Stall why) {
    at(around).end = std::max(at(around).end, counted.end);
    to_count_.emplace_back(around, why);
  };
  if (counted.around != kNone) count_in(counted.around, Stall::DepWait);
  while (!counted.others.empty()) {
    const int64_t other = state_.links.pop(counted.others);
    const auto why = static_cast<Stall>(other & 0xFF);
    // A wait for what had been waited for in the same process keeps its name.
    count_in(static_cast<int32_t>(other >> 8), why == Stall::Drained ? counted.cause : why);
  }
  std::reverse(to_count_.begin() + static_cast<std::ptrdiff_t>(first), to_count_.end());
  return turn;
}

// `end` still holds the other services alone: a waiter is not resolved before these end.
int64_t Joins::resolve_waiters(Join& join, int64_t turn) {
  Turns turns(state_, turn);
  while (!join.waiters.empty()) {
    const int64_t waiter = state_.links.pop(join.waiters);
    readiness_.resolve(waiter, std::max(turns.next(waiter), join.end), join.cause);
  }
  return turns.end();
}

void Joins::end_joins(int64_t time) {
  // One service may count a join down several times: free it once.
  std::sort(served_.begin(), served_.end());
  served_.erase(std::unique(served_.begin(), served_.end()), served_.end());
  for (const int32_t join : served_) {
    at(join).end = std::max(at(join).end, time);
    free_if_done(join);
  }
  served_.clear();
}

}  // namespace pto
