// Structural order (rules 2 and 12): each part of a sequential scope is a join that later tasks wait for.
#pragma once

#include <utility>
#include <vector>

#include "engine/machine_state.h"
#include "engine/readiness.h"

namespace pto {

class Joins {
 public:
  static constexpr int32_t kNone = kNoJoin;

  struct Scope {
    int32_t part = kNone;      // the join of the open part; none while it holds no task
    int32_t previous = kNone;  // the nearest part before it that holds a task
  };

  Joins(MachineState& state, Readiness& readiness) : state_(state), readiness_(readiness) {}

  // The program's scopes, in its order.
  void scope_begin() { scopes_.emplace_back(); }
  void part();
  void scope_end();

  // Makes a new task a member of the innermost part around it, and finds the join that it waits for.
  void enter(int64_t id);
  // The edges of this order, before and after the task's other ones.
  void note_wait(int64_t id);
  void note_membership(int64_t id);

  // The task is published: true where its join is still to come; else `ready` is raised to the join's end.
  bool wait(int64_t id, int64_t& ready);

  // ---- What processes add (rule 16) ----

  // A join that stays open until it is closed; it is the caller's until it is released.
  int32_t open() { return create(); }
  void close(int32_t join) { at(join).closed = true; }
  void hold(int32_t join) { ++at(join).holders; }
  void release(int32_t join);
  // The task is a member of the join.
  void add_task(int32_t join) { ++at(join).unserved; }
  // The join counts in another one; where it completes that, tasks have waited for `cause`.
  void add_join(int32_t join, int32_t around, Stall cause);
  size_t depth() const { return scopes_.size(); }  // scopes that are open
  // The open scopes from `first` on move to `out`, and those of `in` take their place.
  void exchange_scopes(size_t first, std::vector<Scope>& out, std::vector<Scope>& in);

  // The service of the task's report begins. Resolves the waiters of what it completes, each at the end of its turn,
  // and answers the end of the last turn.
  int64_t serve_member(int64_t id, int64_t turn);
  // The service that served the members since the last call ends at `time`.
  void end_service(int64_t time) {
    if (!served_.empty()) end_joins(time);
  }

 private:
  struct Join {
    int64_t number = 0;      // -1, -2, ...
    int64_t end = 0;         // of the services of its members so far
    int32_t unserved = 0;    // members
    int32_t around = kNone;  // the join in which this one counts
    int32_t holders = 0;     // scopes and unpublished tasks that may still ask for it
    bool closed = false;     // no member will be added
    Waiters waiters;
    Waiters others;                // further joins in which it counts: id << 8 | cause
    Stall cause = Stall::DepWait;  // what its waiters have waited for
  };

  Join& at(int32_t join) { return joins_[static_cast<size_t>(join)]; }
  bool complete(const Join& join) const { return join.closed && join.unserved == 0; }
  void note_edge(int64_t from, int64_t to);
  int64_t serve_in(int32_t join, int64_t turn);
  void end_joins(int64_t time);
  int32_t create();
  void close_part(Scope& scope);
  void free_if_done(int32_t join);
  int64_t count_down(int32_t join, Stall cause, int64_t turn);
  int64_t resolve_waiters(Join& join, int64_t turn);

  MachineState& state_;
  Readiness& readiness_;
  std::vector<Scope> scopes_;
  std::vector<Join> joins_;
  std::vector<int32_t> free_;
  std::vector<int32_t> served_;                      // joins that the current service counts down
  std::vector<std::pair<int32_t, Stall>> to_count_;  // by the current member, the next one last
  int64_t created_ = 0;
};

}  // namespace pto
