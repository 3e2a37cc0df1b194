// All edges into a task but the structural ones (rule 2 of docs/execution-model.md), and rule 4's writers.
#pragma once

#include <memory>
#include <unordered_map>

#include "deps/dependency_tracker.h"
#include "pto/config.h"
#include "pto/source.h"

namespace pto {

// The window's tasks where sources that many ids older are implied by it; else (bytes, entries, benchmark) no source
// is, and what bounds the memory is the number of live regions.
int64_t implied_after(const Schedule& schedule);

// Sees every task in program order. What it answers depends on the program and the schedule, never on time.
class TaskEdges {
 public:
  TaskEdges(const Schedule& schedule, std::span<const TensorInfo> tensors);

  // The edges into task `id`, packed: one per source, sources ascending, each of the first kind that holds of raw, waw,
  // war, explicit, stream. Ids ascend from 0 without gaps; `roles` has one role per operand. Valid until the next call.
  // Throws ScheduleError for an `after` where deps is `inferred`, ExecutionError for a stream out of range.
  std::span<const uint64_t> add_task(int64_t id, const pto_task& task, std::span<const pto_role> roles) {
    collect(id, task, roles);
    return collector_.take();
  }
  // The same; replaces `edges`.
  void add_task(int64_t id, const pto_task& task, std::span<const pto_role> roles, std::vector<Edge>& edges) {
    collect(id, task, roles);
    collector_.take(edges);
  }

  // The stream of the task added last; -1: tasks have none.
  int64_t stream() const { return stream_; }

  // Rule 4: does a live write share an element with `region`, whatever `deps` is? `writers` becomes those tasks,
  // ascending, among the ones that can still be alive when task `next_id` is about to be created.
  bool find_writers(const pto_region& region, int64_t next_id, std::vector<int64_t>& writers) {
    return tracker_->find_writers(region, next_id, writers);
  }

 private:
  int64_t stream_of(int64_t id, const pto_task& task) const;
  // The task before `id` in its stream, -1 if it is the first.
  int64_t previous_in_stream(int64_t id);
  void collect(int64_t id, const pto_task& task, std::span<const pto_role> roles) {
    tracker_->collect(id, {task.operands, roles.size()}, roles, collector_);
    if (task.after_count > 0 || schedule_.streams > 0) collect_named(id, task);
  }
  // The edges that the program and the schedule name.
  void collect_named(int64_t id, const pto_task& task);
  void collect_explicit(int64_t id, const pto_task& task, int64_t oldest);

  Schedule schedule_;
  int64_t window_;
  std::unique_ptr<DependencyTracker> tracker_;
  std::unordered_map<int64_t, int64_t> last_in_stream_;  // where a key chooses the stream
  int64_t stream_ = -1;
  EdgeCollector collector_;
};

}  // namespace pto
