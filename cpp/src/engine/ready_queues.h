// The queues of ready tasks (rules 7 and 8).
#pragma once

#include <vector>

#include "engine/fifo.h"
#include "engine/homes.h"
#include "engine/machine_state.h"

namespace pto {

// Ordered by (ready, id): tasks enter in this order.
class ReadyQueue {
 public:
  bool empty() const { return tasks_.empty(); }
  size_t size() const { return tasks_.size(); }
  void enter(int64_t id) { tasks_.push(id); }
  int64_t head() const { return tasks_.front(); }
  int64_t youngest() const { return tasks_.back(); }
  void take_head(int64_t now) {
    tasks_.pop_front();
    if (head_found_no_core_) unblocked_ = now;
    head_found_no_core_ = false;
  }
  void take_youngest(int64_t now) {
    if (tasks_.size() == 1) return take_head(now);
    tasks_.pop_back();
  }

  // A free scheduler looked at the head and found no core for it.
  void head_found_no_core() { head_found_no_core_ = true; }
  // When the last such head left; 0 if there was none.
  int64_t unblocked() const { return unblocked_; }

 private:
  Fifo<int64_t> tasks_;
  bool head_found_no_core_ = false;
  int64_t unblocked_ = 0;
};

// One queue per scheduler and pool, and one per pool that all schedulers share.
class ReadyQueues {
 public:
  explicit ReadyQueues(const Topology& topology)
      : schedulers_(topology.schedulers),
        pools_(topology.pools),
        queues_(static_cast<size_t>((schedulers_ + 1) * pools_)) {}

  void enter(int64_t id, const Task& task, int pool) {
    (task.home == Homes::kShared ? shared(pool) : own(task.home, pool)).enter(id);
    ++queued_;
  }
  ReadyQueue& own(int scheduler, int pool) { return queues_[static_cast<size_t>(scheduler * pools_ + pool)]; }
  ReadyQueue& shared(int pool) { return own(schedulers_, pool); }
  void left() { --queued_; }
  bool all_empty() const { return queued_ == 0; }

 private:
  int schedulers_, pools_;
  std::vector<ReadyQueue> queues_;
  int64_t queued_ = 0;
};

}  // namespace pto
