// The queues of ready tasks (rules 7 and 8).
#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "engine/fifo.h"
#include "engine/homes.h"
#include "engine/machine_state.h"
#include "engine/ordered_tasks.h"

namespace pto {

// In order of (ready, id), in which tasks enter; or as OrderedTasks has them, where there are any.
class ReadyQueue {
 public:
  static constexpr int64_t kNone = OrderedTasks::kNone;

  void use_order(std::unique_ptr<OrderedTasks> ordered) { ordered_ = std::move(ordered); }
  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }
  void enter(int64_t id) {
    ++size_;
    ordered_ ? ordered_->enter(id) : fifo_.push(id);
  }
  // The next task; kNone where the streams of all are full. The queue is not empty.
  int64_t head() { return ordered_ ? ordered_->head() : fifo_.front(); }
  int64_t youngest() const { return ordered_ ? ordered_->youngest() : fifo_.back(); }
  // Takes the head or the youngest out.
  void take(int64_t id, const Task& task, int64_t now) {
    --size_;
    if (task.found_no_core) unblocked_ = now;
    if (ordered_) return ordered_->take(id);
    id == fifo_.front() ? fifo_.pop_front() : fifo_.pop_back();
  }
  void release(int64_t stream) {
    if (ordered_) ordered_->release(stream);
  }
  // When the last task left that had been a head without a core; 0 if there was none.
  int64_t unblocked() const { return unblocked_; }

 private:
  size_t size_ = 0;
  Fifo<int64_t> fifo_;
  std::unique_ptr<OrderedTasks> ordered_;
  int64_t unblocked_ = 0;
};

// One queue per pool that all schedulers share, then one per scheduler and pool: Homes::kShared comes before scheduler
// 0.
inline uint32_t queue_number(int scheduler, int pool, int pools) {
  static_assert(Homes::kShared == -1);
  return static_cast<uint32_t>((scheduler + 1) * pools + pool);
}

class ReadyQueues {
 public:
  ReadyQueues(MachineState& state, const StreamScopes& streams)
      : state_(state),
        by_priority_(state.schedule.ready == Ready::Priority),
        pools_(static_cast<int>(state.topology.pools.size())),
        queues_(static_cast<size_t>((state.topology.schedulers + 1) * pools_)) {
    const Schedule& schedule = state.schedule;
    const bool interleaved = schedule.timing == Timing::Interleaved;
    if (!by_priority_ && !interleaved && !streams.limits()) return;
    const int64_t lanes = interleaved ? schedule.timing_number : 1;
    for (ReadyQueue& queue : queues_) queue.use_order(std::make_unique<OrderedTasks>(state.tasks, streams, lanes));
  }

  void enter(int64_t id) {
    Task& task = state_.tasks[id];
    task.entered = state_.now;
    if (!by_priority_) task.order = task.ready;
    queues_[task.queue].enter(id);
    state_.stats.ready_high_water = std::max(state_.stats.ready_high_water, ++queued_);
  }
  ReadyQueue& own(int scheduler, int pool) { return queues_[queue_number(scheduler, pool, pools_)]; }
  ReadyQueue& shared(int pool) { return own(Homes::kShared, pool); }
  void left() { --queued_; }
  bool all_empty() const { return queued_ == 0; }
  // A stream that was full has room.
  void release(int64_t stream) {
    for (ReadyQueue& queue : queues_) queue.release(stream);
  }

 private:
  MachineState& state_;
  const bool by_priority_;
  int pools_;
  std::vector<ReadyQueue> queues_;
  int64_t queued_ = 0;
};

}  // namespace pto
