// A queue in another order than that of arrival: by priority, in lanes, past tasks that their stream holds back.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <set>

#include "engine/stream_scopes.h"
#include "engine/task_table.h"

namespace pto {

class OrderedTasks {
 public:
  static constexpr int64_t kNone = -1;

  // `lanes`: of timing=interleaved, else 1.
  OrderedTasks(TaskTable& tasks, const StreamScopes& streams, int64_t lanes)
      : tasks_(tasks), streams_(streams), lane_count_(lanes) {}

  void enter(int64_t id);
  // The best of the first lane, after the one served last, that holds a task whose stream has room; or kNone.
  int64_t head();
  // The last in order of (ready, id).
  int64_t youngest() const { return by_age_.rbegin()->id; }
  void take(int64_t id);
  // A stream has room again, or still: the best of its tasks that was held back is in its lane again.
  void release(int64_t stream);

 private:
  struct Entry {
    int64_t order, id;
    auto operator<=>(const Entry&) const = default;
  };
  using Entries = std::set<Entry>;

  int64_t stream_of(int64_t id) { return tasks_[id].detailed ? tasks_.details(id).stream : -1; }
  int64_t lane_of(int64_t id) { return (stream_of(id) >= 0 ? stream_of(id) : id) % lane_count_; }
  Entry entry_of(int64_t id) { return {tasks_[id].order, id}; }
  static bool erase(std::map<int64_t, Entries>& sets, int64_t key, const Entry& entry);

  TaskTable& tasks_;
  const StreamScopes& streams_;
  int64_t lane_count_;
  int64_t last_lane_ = -1;
  Entries by_age_;                    // all tasks, as (ready, id)
  std::map<int64_t, Entries> lanes_;  // no empty ones
  std::map<int64_t, Entries> held_;   // by stream, no empty ones: met at a head while their stream was full
};

}  // namespace pto
