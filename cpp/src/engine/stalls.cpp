#include "engine/stalls.h"

#include <algorithm>
#include <array>

namespace pto {
namespace {

constexpr std::array<const char*, kStallCauses> kStallNames = {"submit_busy",   "window_full",  "readback", "dep_wait",
                                                               "channel_empty", "channel_full", "gated",    "no_core",
                                                               "dispatch_busy", "latency",      "drained"};
constexpr std::array<const char*, 6> kEdgeNames = {"raw", "waw", "war", "structural", "explicit", "stream"};

}  // namespace

const char* stall_name(Stall cause) { return kStallNames.at(static_cast<size_t>(cause)); }
const char* edge_name(EdgeKind kind) { return kEdgeNames.at(static_cast<size_t>(kind)); }

void Stalls::task_starts(const Launch& launch, const Task& task, int64_t end_before) {
  Stats& stats = state_.stats;
  Core& core = cores_[static_cast<size_t>(task.core)];
  PoolStats& pool = *core.pool;
  KernelStats& kernel = stats.kernels[task.kernel];
  const int64_t busy = task.end - std::max(task.start, end_before);
  ++pool.tasks;
  ++kernel.tasks;
  pool.busy += busy;
  kernel.busy += busy;
  if (!costs_given_) stats.borrowed_vector += state_.costs[task.record].borrowed_vector;
  stats.makespan = std::max(stats.makespan, task.end);
  core.last_end = task.end;
  if (task.start > end_before) cut_gap(launch, task, end_before);
}

// Every piece ends at a time of the task's own, in the order of the rule; what lies before the gap is empty.
void Stalls::cut_gap(const Launch& launch, const Task& task, int64_t begin) {
  id_ = launch.task;
  core_ = task.core;
  pool_ = cores_[static_cast<size_t>(task.core)].pool;
  kernel_ = &state_.stats.kernels[task.kernel];
  from_ = at_ = begin;
  gap_end_ = task.start;
  piece(task.submit, task.before_submit);
  piece(task.published, Stall::SubmitBusy);
  piece(task.ready, task.waited);
  piece(std::min(launch.last_report, task.dispatch), Stall::Latency);
  piece(std::min(launch.last_service_end, task.dispatch), Stall::DispatchBusy);
  piece(std::min(launch.gate_opened, task.dispatch), Stall::Gated);
  piece(std::min(launch.head_unblocked, task.dispatch), Stall::NoCore);
  piece(launch.dispatched, Stall::DispatchBusy);
  piece(task.start, Stall::Latency);
  flush();
}

// Neighbours with one cause are one piece.
void Stalls::piece(int64_t until, Stall cause) {
  const int64_t end = std::min(until, gap_end_);
  if (end <= at_) return;
  if (cause != cause_) {
    flush();
    cause_ = cause;
  }
  at_ = end;
}

void Stalls::flush() {
  if (at_ == from_) return;
  const auto cause = static_cast<size_t>(cause_);
  pool_->stalls[cause] += at_ - from_;
  kernel_->stalls[cause] += at_ - from_;
  if (state_.trace != nullptr) state_.trace->stall({core_, from_, at_, cause_, id_});
  from_ = at_;
}

void Stalls::drain() {
  const int64_t makespan = state_.stats.makespan;
  for (size_t core = 0; core < cores_.size(); ++core) {
    const int64_t begin = cores_[core].last_end;
    if (begin == makespan) continue;
    cores_[core].pool->stalls[static_cast<size_t>(Stall::Drained)] += makespan - begin;
    if (state_.trace != nullptr) {
      state_.trace->stall({static_cast<int32_t>(core), begin, makespan, Stall::Drained, -1});
    }
  }
}

}  // namespace pto
