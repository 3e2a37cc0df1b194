// The live tasks.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "memory/shared_memory.h"
#include "pto/abi.h"
#include "pto/stats.h"

namespace pto {

inline constexpr int64_t kNoTask = -1;

// The tasks that wait for one source, in order of their ids: a list in Links.
struct Waiters {
  int32_t first = -1, last = -1;
  bool empty() const { return first < 0; }
};

class Links {
 public:
  void append(Waiters& list, int64_t task) {
    const int32_t link = take();
    links_[static_cast<size_t>(link)] = {task, -1};
    (list.empty() ? list.first : links_[static_cast<size_t>(list.last)].next) = link;
    list.last = link;
  }
  // The first task of the list.
  int64_t front(const Waiters& list) const { return links_[static_cast<size_t>(list.first)].task; }
  // Takes the first task off the list.
  int64_t pop(Waiters& list) {
    const int32_t link = list.first;
    Link& freed = links_[static_cast<size_t>(link)];
    const int64_t task = freed.task;
    list.first = freed.next;
    freed.next = free_;
    free_ = link;
    return task;
  }

 private:
  struct Link {
    int64_t task;
    int32_t next;
  };
  int32_t take() {
    if (free_ < 0) {
      links_.emplace_back();
      return static_cast<int32_t>(links_.size() - 1);
    }
    const int32_t link = free_;
    free_ = links_[static_cast<size_t>(link)].next;
    return link;
  }
  std::vector<Link> links_;
  int32_t free_ = -1;
};

// Its first cache line is all that other tasks' progress touches.
struct alignas(64) Task {
  // How far it is
  int32_t unresolved;  // sources
  Waiters successors;  // published before its report was served
  bool served;         // the service of its report has begun
  bool finished;       // and ended
  MemoryLevel memory;  // that decided how long it took
  bool found_no_core;  // a scheduler met it at the head of a queue
  int64_t ready;
  int64_t service_end;  // of its report
  int64_t order;        // in its queue, before the id: when it became ready, or its priority
  int64_t next_on_core;
  int32_t home;  // scheduler, or Homes::kShared
  int32_t pool;
  uint32_t kernel;
  uint8_t unit;
  Stall before_submit;  // what the orchestrator did before
  Stall waited;         // what it became ready by, until then
  // What it is
  uint32_t site;
  uint32_t record;  // its cost's place in MachineState::costs
  uint32_t axis_count;
  int32_t joined;     // the join that it belongs to, or -1
  int32_t grouped;    // in a process: the join of its iteration so far, or -1
  int32_t waits_for;  // the join that it waits for, or -1
  int32_t core;
  int32_t scheduler;
  int64_t stream;  // -1: none
  int64_t cost;    // cycles, where a cost function gives them
  int64_t size;    // in the window
  int64_t hbm_bytes;
  uint64_t touches;      // its first one's place in the store
  uint32_t touch_count;  // 0 without L2
  int64_t submit, published, dispatch, start, end;
  int64_t duration;    // on an idle machine
  int64_t waited_for;  // by the orchestrator, before it submitted this one; -1: no task
  int64_t dispatched;  // the dispatch's cost is paid
  int64_t seen;        // by the core
  int64_t entered;     // its queue
  // Why it was not dispatched earlier (rule 14)
  int64_t last_report, last_service_end, gate_opened, head_unblocked;
};

// A ring of records, indexed by id. It grows by doubling up to what the live tasks need.
class TaskTable {
 public:
  TaskTable() : ring_(kFirst), mask_(kFirst - 1) {}
  Task& operator[](int64_t id) { return ring_[static_cast<uint64_t>(id) & mask_]; }
  // A hint that the task's first line will be wanted.
  void prefetch(int64_t id) const { __builtin_prefetch(&ring_[static_cast<uint64_t>(id) & mask_]); }
  // The record of the new task `id`, where `oldest` is the oldest live one. Other references become invalid.
  Task& add(int64_t id, int64_t oldest) {
    if (id - oldest > static_cast<int64_t>(mask_)) grow(id, oldest);
    return (*this)[id] = Task{};
  }

 private:
  static constexpr size_t kFirst = 1024;

  void grow(int64_t id, int64_t oldest) {
    std::vector<Task> larger(ring_.size() * 2);
    for (int64_t live = oldest; live < id; ++live) {
      larger[static_cast<uint64_t>(live) & (larger.size() - 1)] = (*this)[live];
    }
    ring_ = std::move(larger);
    mask_ = ring_.size() - 1;
  }
  std::vector<Task> ring_;
  uint64_t mask_;
};

}  // namespace pto
