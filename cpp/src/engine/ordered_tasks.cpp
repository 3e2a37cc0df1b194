#include "engine/ordered_tasks.h"

namespace pto {

void OrderedTasks::enter(int64_t id) {
  by_age_.insert({tasks_[id].ready, id});
  lanes_[lane_of(id)].insert(entry_of(id));
}

// A full stream's tasks leave their lane when they are met here, so that nobody looks at them twice.
int64_t OrderedTasks::head() {
  while (!lanes_.empty()) {
    auto lane = lanes_.upper_bound(last_lane_);
    if (lane == lanes_.end()) lane = lanes_.begin();
    const Entry best = *lane->second.begin();
    const int64_t stream = stream_of(best.id);
    if (streams_.is_open(stream)) return best.id;
    erase(lanes_, lane->first, best);
    held_[stream].insert(best);
  }
  return kNone;
}

void OrderedTasks::take(int64_t id) {
  by_age_.erase({tasks_[id].ready, id});
  last_lane_ = lane_of(id);
  if (!erase(lanes_, last_lane_, entry_of(id))) erase(held_, stream_of(id), entry_of(id));
}

void OrderedTasks::release(int64_t stream) {
  const auto held = held_.find(stream);
  if (held == held_.end()) return;
  const Entry best = *held->second.begin();
  erase(held_, stream, best);
  lanes_[lane_of(best.id)].insert(best);
}

bool OrderedTasks::erase(std::map<int64_t, Entries>& sets, int64_t key, const Entry& entry) {
  const auto at = sets.find(key);
  if (at == sets.end() || at->second.erase(entry) == 0) return false;
  if (at->second.empty()) sets.erase(at);
  return true;
}

}  // namespace pto
