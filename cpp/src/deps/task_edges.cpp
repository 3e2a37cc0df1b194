#include "deps/task_edges.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "deps/exact_tracker.h"
#include "deps/overlap_tracker.h"
#include "deps/write_tracker.h"
#include "pto/error.h"

namespace pto {
namespace {

std::unique_ptr<DependencyTracker> make_tracker(const Schedule& schedule, std::span<const TensorInfo> tensors,
                                                int64_t window) {
  if (schedule.deps == Deps::Explicit) return std::make_unique<WriteTracker>(tensors, window);
  if (schedule.infer == Infer::TensorMapExact) return std::make_unique<ExactTracker>(tensors, window);
  return std::make_unique<OverlapTracker>(tensors, window);
}

std::string named(int64_t id) { return "task " + std::to_string(id); }

}  // namespace

int64_t implied_after(const Schedule& schedule) {
  const bool by_id = schedule.window_unit == WindowUnit::Tasks && schedule.window_mode != WindowMode::Benchmark;
  return by_id ? schedule.window : std::numeric_limits<int64_t>::max();
}

TaskEdges::TaskEdges(const Schedule& schedule, std::span<const TensorInfo> tensors)
    : schedule_(schedule), window_(implied_after(schedule)), tracker_(make_tracker(schedule, tensors, window_)) {}

void TaskEdges::collect_named(int64_t id, const pto_task& task) {
  const int64_t oldest = std::max<int64_t>(0, id - window_ + 1);
  stream_ = stream_of(id, task);
  collect_explicit(id, task, oldest);
  if (stream_ < 0 || schedule_.deps == Deps::Inferred) return;
  const int64_t before = previous_in_stream(id);
  if (before >= oldest) collector_.add(before, EdgeKind::Stream);
}

void TaskEdges::collect_explicit(int64_t id, const pto_task& task, int64_t oldest) {
  if (task.after_count == 0) return;
  if (schedule_.deps == Deps::Inferred) {
    throw ScheduleError(named(id) +
                        " names tasks to wait for (after=), but deps is `inferred`: set deps to `hybrid` or "
                        "`explicit`, or leave `after` out");
  }
  for (uint32_t i = 0; i < task.after_count; ++i) {
    const int64_t source = task.after[i];
    if (source < 0 || source >= id) {
      throw ExecutionError(named(id) + " waits for " + named(source) + " (after=): expected an earlier task");
    }
    if (source >= oldest) collector_.add(source, EdgeKind::Explicit);
  }
}

int64_t TaskEdges::stream_of(int64_t id, const pto_task& task) const {
  if (schedule_.streams == 0) return -1;
  if (schedule_.stream_key == kNoKey) return id % schedule_.streams;
  const int64_t stream = task.keys[schedule_.stream_key];
  if (stream < 0 || stream >= schedule_.streams) {
    throw ExecutionError(named(id) + ": stream_by gave stream " + std::to_string(stream) + ", expected 0 to " +
                         std::to_string(schedule_.streams - 1) + ": raise `streams` or change the function");
  }
  return stream;
}

int64_t TaskEdges::previous_in_stream(int64_t id) {
  if (schedule_.stream_key == kNoKey) return id - schedule_.streams;
  const auto [at, first] = last_in_stream_.try_emplace(stream_, id);
  if (first) return -1;
  return std::exchange(at->second, id);
}

}  // namespace pto
