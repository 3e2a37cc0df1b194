// What happens in later cycles, in the order in which the phases of a cycle want it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace pto {

enum class EventKind : uint8_t {
  ServerFree,    // id: a scheduler
  Report,        // id: a task, whose report arrives
  Orchestrator,  // it is free again
  Ready,         // id: a task
  Gate,          // dispatches may begin again
  Start,         // id: a core, whose next task starts
};

struct Event {
  int64_t time;
  uint64_t order;  // kind, then id
  EventKind kind() const { return static_cast<EventKind>(order >> 56); }
  int64_t id() const { return static_cast<int64_t>(order & ((uint64_t{1} << 56) - 1)); }
};

// A binary heap by (time, kind, id).
class EventQueue {
 public:
  void push(int64_t time, EventKind kind, int64_t id) {
    heap_.push_back({time, static_cast<uint64_t>(kind) << 56 | static_cast<uint64_t>(id)});
    std::push_heap(heap_.begin(), heap_.end(), later);
  }
  bool empty() const { return heap_.empty(); }
  int64_t next_time() const { return heap_.front().time; }
  // The next event is of this cycle and kind.
  bool has(int64_t time, EventKind kind) const {
    return !heap_.empty() && heap_.front().time == time && heap_.front().kind() == kind;
  }
  // Takes the next event and answers its id.
  int64_t pop() {
    std::pop_heap(heap_.begin(), heap_.end(), later);
    const int64_t id = heap_.back().id();
    heap_.pop_back();
    return id;
  }

 private:
  static bool later(const Event& a, const Event& b) { return a.time != b.time ? a.time > b.time : a.order > b.order; }
  std::vector<Event> heap_;
};

}  // namespace pto
