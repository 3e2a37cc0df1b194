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
// Neighbours with one cause are one piece.
void Stalls::cut_gap(const Launch& launch, const Task& task, int64_t begin) {
  struct Piece {
    int64_t until;
    Stall cause;
  };
  const std::array<Piece, 9> pieces{{{task.submit, task.before_submit},
                                     {task.published, Stall::SubmitBusy},
                                     {task.ready, task.waited},
                                     {std::min(launch.last_report, task.dispatch), Stall::Latency},
                                     {std::min(launch.last_service_end, task.dispatch), Stall::DispatchBusy},
                                     {std::min(launch.gate_opened, task.dispatch), Stall::Gated},
                                     {std::min(launch.head_unblocked, task.dispatch), Stall::NoCore},
                                     {launch.dispatched, Stall::DispatchBusy},
                                     {task.start, Stall::Latency}}};
  int64_t from = begin, at = begin;  // the open piece
  Stall open = pieces[0].cause;
  for (const Piece& piece : pieces) {
    const int64_t end = std::min(piece.until, task.start);
    if (end <= at) continue;
    if (piece.cause != open && at > from) {
      book(launch, task, from, at, open);
      from = at;
    }
    open = piece.cause;
    at = end;
  }
  book(launch, task, from, at, open);
}

inline void Stalls::book(const Launch& launch, const Task& task, int64_t from, int64_t to, Stall cause) {
  const auto column = static_cast<size_t>(cause);
  cores_[static_cast<size_t>(task.core)].pool->stalls[column] += to - from;
  state_.stats.kernels[task.kernel].stalls[column] += to - from;
  if (state_.trace != nullptr) state_.trace->stall({task.core, from, to, cause, launch.task});
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
