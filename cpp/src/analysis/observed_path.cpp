#include <algorithm>
#include <numeric>
#include <tuple>

#include "analysis/graph.h"
#include "pto/analysis.h"
#include "pto/error.h"
#include "trace/columns.h"

namespace pto {
namespace {

constexpr int64_t kNoTask = -1;

[[noreturn]] void refuse() { throw LoadError("the trace is damaged: its rows contradict each other"); }

// The gaps of each core, in order of time.
class Gaps {
 public:
  Gaps(const StallColumns& stalls, size_t cores) : stalls_(stalls), first_(cores + 1) {
    for (const int32_t core : stalls.core) {
      if (core < 0 || static_cast<size_t>(core) >= cores) refuse();
      ++first_[static_cast<size_t>(core) + 1];
    }
    std::partial_sum(first_.begin(), first_.end(), first_.begin());
    rows_.resize(row_count(stalls));
    std::vector<size_t> next(first_.begin(), first_.end() - 1);
    for (size_t row = 0; row < rows_.size(); ++row) rows_[next[static_cast<size_t>(stalls.core[row])]++] = row;
  }

  // The row of the core that ends at `time`.
  size_t ending_at(int32_t core, int64_t time) const {
    const auto first = rows_.begin() + static_cast<std::ptrdiff_t>(first_[static_cast<size_t>(core)]);
    const auto last = rows_.begin() + static_cast<std::ptrdiff_t>(first_[static_cast<size_t>(core) + 1]);
    const auto row = std::lower_bound(first, last, time, [this](size_t r, int64_t t) { return stalls_.end[r] < t; });
    if (row == last || stalls_.end[*row] != time) refuse();
    return *row;
  }

 private:
  const StallColumns& stalls_;
  std::vector<size_t> first_;  // of each core, in rows_
  std::vector<size_t> rows_;
};

// Goes back in time along what each begin waited for.
class Walk {
 public:
  explicit Walk(const Trace& trace)
      : tasks_(trace.tasks),
        stalls_(trace.stalls),
        cores_(static_cast<size_t>(trace.header.cube_cores) + static_cast<size_t>(trace.header.vector_cores)),
        graph_(trace),
        gaps_(trace.stalls, cores_) {
    find_predecessors_on_cores();
    find_last_members();
  }

  std::vector<PathPiece> run() {
    const std::vector<int64_t>& end = tasks_.end;
    if (end.empty()) return {};
    now_ = *std::max_element(end.begin(), end.end());
    int64_t task = std::find(end.begin(), end.end(), now_) - end.begin();
    for (size_t steps = 0; task != kNoTask; ++steps) {
      if (steps > end.size()) refuse();
      task = before(static_cast<size_t>(task));
    }
    if (now_ != 0) refuse();
    std::reverse(pieces_.begin(), pieces_.end());
    return std::move(pieces_);
  }

 private:
  void find_predecessors_on_cores() {
    std::vector<size_t> order(row_count(tasks_));
    std::iota(order.begin(), order.end(), size_t{0});
    for (const int32_t core : tasks_.core) {
      if (core < 0 || static_cast<size_t>(core) >= cores_) refuse();
    }
    const auto key = [this](size_t t) {
      return std::tuple(tasks_.core[t], tasks_.dispatch[t], tasks_.end[t], tasks_.start[t]);
    };
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return key(a) < key(b); });
    previous_.assign(order.size(), kNoTask);
    for (size_t i = 1; i < order.size(); ++i) {
      if (tasks_.core[order[i - 1]] == tasks_.core[order[i]]) previous_[order[i]] = static_cast<int64_t>(order[i - 1]);
    }
  }

  // Of each join, the member that ends last, in it or in a join that counts in it.
  void find_last_members() {
    last_member_.assign(graph_.nodes(), kNoTask);
    for (const uint32_t node : graph_.order()) {
      if (!graph_.is_task(node)) last_member_[node] = last_source(node);
    }
  }

  // The one that ends last among those that a node waits for.
  int64_t last_source(size_t node) const {
    int64_t last = kNoTask;
    for (const uint32_t source : graph_.sources(node)) {
      const int64_t task = graph_.is_task(source) ? static_cast<int64_t>(source) : last_member_[source];
      if (task == kNoTask) refuse();
      if (last == kNoTask || end_of(task) > end_of(last) || (end_of(task) == end_of(last) && task > last)) last = task;
    }
    return last;
  }

  int64_t end_of(int64_t task) const { return task == kNoTask ? 0 : tasks_.end[static_cast<size_t>(task)]; }

  // From the end of a task to the end of the task that it waited for; none: cycle 0 is reached.
  int64_t before(size_t task) {
    const int64_t core_free = end_of(previous_[task]);
    add(std::max(tasks_.start[task], core_free), std::nullopt, task);
    if (tasks_.ready[task] <= core_free) {
      add_gap(core_free, task);
      return previous_[task];
    }
    add_gap(tasks_.ready[task], task);
    if (tasks_.ready[task] > tasks_.published[task]) {
      const int64_t source = last_source(task);
      if (source == kNoTask) refuse();
      // The stall up to `ready` has the name of the wait.
      const size_t row = gaps_.ending_at(tasks_.core[task], now_);
      add(end_of(source), static_cast<Stall>(stalls_.cause[row]), task);
      return source;
    }
    add(tasks_.submit[task], Stall::SubmitBusy, task);
    return before_submission(task);
  }

  // Along the orchestrator, one submission after the other, until one that waited for a task.
  int64_t before_submission(size_t task) {
    for (;; --task) {
      const auto cause = static_cast<Stall>(tasks_.before_submit[task]);
      const int64_t awaited = tasks_.waited_for[task];
      if (awaited != kNoTask) {
        if (awaited < 0 || static_cast<size_t>(awaited) >= task) refuse();
        add(end_of(awaited), cause, task);
        return awaited;
      }
      add(task == 0 ? 0 : tasks_.submit[task - 1], cause, task);
      if (task == 0) return kNoTask;
    }
  }

  void add_gap(int64_t begin, size_t task) {
    while (now_ > begin) {
      const size_t row = gaps_.ending_at(tasks_.core[task], now_);
      add(std::max(begin, stalls_.begin[row]), static_cast<Stall>(stalls_.cause[row]), task);
    }
  }

  // From `begin` to where the walk is. Submissions one after the other are one piece.
  void add(int64_t begin, std::optional<Stall> cause, size_t task) {
    if (begin > now_) refuse();
    if (begin == now_) return;
    const bool submitting = cause == Stall::SubmitBusy || cause == Stall::Readback;
    if (submitting && !pieces_.empty() && pieces_.back().cause == cause) {
      pieces_.back().begin = begin;
    } else {
      pieces_.push_back({begin, now_, cause, static_cast<int64_t>(task)});
    }
    now_ = begin;
  }

  const TaskColumns& tasks_;
  const StallColumns& stalls_;
  size_t cores_;
  Graph graph_;
  Gaps gaps_;
  std::vector<int64_t> previous_;     // on its core, of each task
  std::vector<int64_t> last_member_;  // of each node that is a join
  int64_t now_ = 0;
  std::vector<PathPiece> pieces_;  // latest first
};

}  // namespace

std::vector<PathPiece> observed_path(const Trace& trace) { return Walk(trace).run(); }

std::array<int64_t, 1 + kStallCauses> path_totals(const std::vector<PathPiece>& path) {
  std::array<int64_t, 1 + kStallCauses> totals{};
  for (const PathPiece& piece : path) {
    totals[piece.cause ? 1 + static_cast<size_t>(*piece.cause) : 0] += piece.end - piece.begin;
  }
  return totals;
}

}  // namespace pto
