// What happens in later cycles, in the order in which the phases of a cycle want it.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
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

// By (cycle, kind, id). Most events are near: a calendar has a list for each of the next cycles, and two levels of bits
// that find the next list with an event. A heap holds what is farther away.
class EventQueue {
 public:
  EventQueue() : first_(kSlots, kNone) {}

  // `time` is later than the current cycle.
  void push(int64_t time, EventKind kind, int64_t id) {
    const uint64_t event = static_cast<uint64_t>(kind) << kIdBits | static_cast<uint64_t>(id);
    if (time - now_ < kSlots) {
      push_near(time, event);
    } else {
      far_.push_back({time, event});
      std::push_heap(far_.begin(), far_.end(), later);
    }
  }
  static constexpr int64_t kNever = INT64_MAX;
  // Goes on to the next cycle with an event and answers it; kNever: nothing happens in a later cycle. All events of the
  // current cycle are taken.
  int64_t advance() {
    int64_t next = next_near();
    if (!far_.empty()) next = std::min(next, far_.front().time);
    taken_ = due_end_ = 0;
    if (next == kNever) return kNever;
    now_ = next;
    take_near();
    while (!far_.empty() && far_.front().time == now_) take_far();
    if (due_end_ > 1) std::sort(due_.begin(), due_.begin() + static_cast<std::ptrdiff_t>(due_end_));
    return now_;
  }
  // The next event of the current cycle is of this kind.
  bool has(EventKind kind) const { return taken_ < due_end_ && due_[taken_] >> kIdBits == static_cast<uint64_t>(kind); }
  // Takes the next event of the current cycle and answers its id.
  int64_t pop() { return static_cast<int64_t>(due_[taken_++] & ((uint64_t{1} << kIdBits) - 1)); }

 private:
  static constexpr int64_t kSlots = 1 << 14;  // cycles that are near
  static constexpr size_t kWords = kSlots / 64, kGroups = kWords / 64;
  static constexpr int kIdBits = 56;
  static constexpr int32_t kNone = -1;

  struct Node {
    uint64_t event;
    int32_t next;
  };
  struct Far {
    int64_t time;
    uint64_t event;
  };
  static bool later(const Far& a, const Far& b) { return a.time > b.time; }
  static size_t slot_of(int64_t time) { return static_cast<size_t>(time) & (kSlots - 1); }
  static size_t lowest(uint64_t bits) { return static_cast<size_t>(std::countr_zero(bits)); }

  void push_near(int64_t time, uint64_t event) {
    const size_t slot = slot_of(time);
    if (free_ == kNone) {
      free_ = static_cast<int32_t>(nodes_.size());
      nodes_.push_back({0, kNone});
    }
    const int32_t added = free_;
    Node& node = nodes_[static_cast<size_t>(added)];
    free_ = node.next;
    node = {event, first_[slot]};
    first_[slot] = added;
    words_[slot / 64] |= uint64_t{1} << (slot % 64);
    groups_[slot / 4096] |= uint64_t{1} << (slot / 64 % 64);
  }

  int64_t next_near() const {
    const size_t from = slot_of(now_ + 1);
    const uint64_t here = words_[from / 64] >> (from % 64);
    if (here != 0) return now_ + 1 + std::countr_zero(here);
    const size_t word = (from / 64 + 1) % kWords;
    size_t group = word / 64;
    uint64_t bits = groups_[group] & ~uint64_t{0} << (word % 64);
    for (size_t looked = 0; bits == 0; ++looked) {
      if (looked == kGroups) return kNever;
      group = (group + 1) % kGroups;
      bits = groups_[group];
    }
    const size_t found = group * 64 + lowest(bits);
    const size_t slot = found * 64 + lowest(words_[found]);
    return now_ + 1 + static_cast<int64_t>((slot - from) & (kSlots - 1));
  }

  void take_near() {
    const size_t slot = slot_of(now_);
    int32_t at = first_[slot];
    if (at == kNone) return;
    first_[slot] = kNone;
    words_[slot / 64] &= ~(uint64_t{1} << (slot % 64));
    if (words_[slot / 64] == 0) groups_[slot / 4096] &= ~(uint64_t{1} << (slot / 64 % 64));
    while (at != kNone) {
      Node& node = nodes_[static_cast<size_t>(at)];
      add_due(node.event);
      const int32_t next = node.next;
      node.next = free_;
      free_ = at;
      at = next;
    }
  }

  void add_due(uint64_t event) {
    if (due_end_ == due_.size()) due_.resize(2 * due_.size());
    due_[due_end_++] = event;
  }

  void take_far() {
    std::pop_heap(far_.begin(), far_.end(), later);
    add_due(far_.back().event);
    far_.pop_back();
  }

  int64_t now_ = 0;
  std::vector<uint64_t> due_ = std::vector<uint64_t>(64);  // of the current cycle: kind, then id
  size_t due_end_ = 0, taken_ = 0;                         // in due_
  std::vector<int32_t> first_;                             // by slot: its list
  std::vector<Node> nodes_;
  int32_t free_ = kNone;
  std::array<uint64_t, kWords> words_{};    // a bit per slot
  std::array<uint64_t, kGroups> groups_{};  // a bit per word
  std::vector<Far> far_;
};

}  // namespace pto
