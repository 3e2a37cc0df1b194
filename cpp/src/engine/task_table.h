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
inline constexpr int32_t kNoJoin = -1;

// The tasks that wait for one source, in order of their ids: a list in Links.
struct Waiters {
  uint32_t first = 0, last = 0;  // links; none
  bool empty() const { return first == 0; }
};

class Links {
 public:
  Links() : links_(1) {}

  void append(Waiters& list, int64_t task) {
    const uint32_t link = take();
    links_[link] = {task, 0};
    (list.empty() ? list.first : links_[list.last].next) = link;
    list.last = link;
  }
  // The first task of the list.
  int64_t front(const Waiters& list) const { return links_[list.first].task; }
  // Takes the first task off the list.
  int64_t pop(Waiters& list) {
    const uint32_t link = list.first;
    Link& freed = links_[link];
    const int64_t task = freed.task;
    list.first = freed.next;
    freed.next = free_;
    free_ = link;
    return task;
  }

 private:
  struct Link {
    int64_t task;
    uint32_t next;
  };
  uint32_t take() {
    if (free_ == 0) {
      links_.emplace_back();
      return static_cast<uint32_t>(links_.size() - 1);
    }
    const uint32_t link = free_;
    free_ = links_[link].next;
    return link;
  }
  std::vector<Link> links_;  // the first stands for none
  uint32_t free_ = 0;
};

// Two cache lines; other tasks' progress touches the first one alone.
struct alignas(128) Task {
  int32_t unresolved;  // sources
  Waiters successors;  // published before its report was served
  bool served;         // the service of its report has begun
  bool finished;       // and ended
  bool found_no_core;  // a scheduler met it at the head of a queue
  bool detailed;       // it has TaskDetails
  int64_t ready;
  int64_t service_end;  // of its report
  int64_t order;        // in its queue, before the id: when it became ready, or its priority
  int64_t entered;      // its queue
  uint32_t kernel;
  uint32_t queue;  // of ReadyQueues
  int32_t pool;
  uint8_t unit;
  Stall before_submit;  // what the orchestrator did before
  Stall waited;         // what it became ready by, until then
  MemoryLevel memory;   // that decided how long it took

  int64_t submit, published, dispatch, start, end;
  uint32_t record;  // its cost's place in MachineState::costs
  int32_t core;
  int32_t scheduler;
  uint32_t site;
  uint32_t edge_count;  // listed, until it is published
  uint32_t axis_count;
};
static_assert(sizeof(Task) == 128);

// What only some runs ask of a task: those with a trace, structural order, L2, or a policy that looks at it.
struct TaskDetails {
  int32_t joined = kNoJoin;     // the join that it belongs to
  int32_t grouped = kNoJoin;    // in a process: the join of its iteration so far
  int32_t waits_for = kNoJoin;  // the join that it waits for
  uint32_t touch_count = 0;
  uint64_t touches = 0;  // its first one's place in the store
  int64_t stream = -1;   // none
  int64_t cost = 0;      // cycles, where a cost function gives them
  int64_t size = 1;      // in the window
  int64_t hbm_bytes = 0;
  int64_t duration = 0;          // on an idle machine
  int64_t waited_for = kNoTask;  // by the orchestrator, before it submitted this one
};

// A ring of records, indexed by id. It grows by doubling up to what the live tasks need.
class TaskTable {
 public:
  TaskTable() : ring_(kFirst), details_(kFirst), mask_(kFirst - 1) {}
  Task& operator[](int64_t id) { return ring_[static_cast<uint64_t>(id) & mask_]; }
  TaskDetails& details(int64_t id) { return details_[static_cast<uint64_t>(id) & mask_]; }
  // A hint that the task will be wanted.
  void prefetch(int64_t id) const {
    const char* const task = reinterpret_cast<const char*>(&ring_[static_cast<uint64_t>(id) & mask_]);
    __builtin_prefetch(task, 1);
    __builtin_prefetch(task + 64, 1);
  }
  // The record of the new task `id`, where `oldest` is the oldest live one: a used one, to be filled in. Other
  // references become invalid.
  Task& add(int64_t id, int64_t oldest) {
    if (id - oldest > static_cast<int64_t>(mask_)) grow(id, oldest);
    return (*this)[id];
  }

 private:
  static constexpr size_t kFirst = 1024;

  void grow(int64_t id, int64_t oldest) {
    const uint64_t mask = 2 * mask_ + 1;
    std::vector<Task> tasks(mask + 1);
    std::vector<TaskDetails> details(mask + 1);
    for (int64_t live = oldest; live < id; ++live) {
      tasks[static_cast<uint64_t>(live) & mask] = (*this)[live];
      details[static_cast<uint64_t>(live) & mask] = this->details(live);
    }
    ring_ = std::move(tasks);
    details_ = std::move(details);
    mask_ = mask;
  }
  std::vector<Task> ring_;
  std::vector<TaskDetails> details_;
  uint64_t mask_;
};

}  // namespace pto
