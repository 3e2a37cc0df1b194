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

// By (cycle, kind, id). Most events are near: a calendar has a slot for each of the next cycles, and two levels of bits
// that find the next slot with an event. A heap holds what is farther away.
class EventQueue {
 public:
  EventQueue() : slots_(kSlots) {}
  EventQueue(const EventQueue&) = delete;
  EventQueue& operator=(const EventQueue&) = delete;

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
    if (next == kNever) return kNever;
    now_ = next;
    due_.clear();
    take_near();
    while (!far_.empty() && far_.front().time == now_) take_far();
    if (due_.size() > 1) std::sort(due_.begin(), due_.end());
    due_.push_back(kNothing);
    next_ = due_.data();
    return now_;
  }
  // The next event of the current cycle is of this kind.
  bool has(EventKind kind) const { return *next_ >> kIdBits == static_cast<uint64_t>(kind); }
  // Takes the next event of the current cycle and answers its id.
  int64_t pop() { return static_cast<int64_t>(*next_++ & ((uint64_t{1} << kIdBits) - 1)); }

 private:
  static constexpr int64_t kSlots = 1 << 14;  // cycles that are near
  static constexpr size_t kWords = kSlots / 64, kGroups = kWords / 64;
  static constexpr int kIdBits = 56;
  static constexpr uint64_t kNothing = ~uint64_t{0};  // of no kind: stands behind the events of a cycle
  static constexpr uint32_t kNone = 0;

  // A cycle's first event is at hand in its slot; the others are a list.
  struct Slot {
    uint64_t event;
    uint32_t others = kNone;  // in nodes_
  };
  struct Node {
    uint64_t event;
    uint32_t next;
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
    uint64_t& word = words_[slot / 64];
    const uint64_t bit = uint64_t{1} << (slot % 64);
    if ((word & bit) != 0) return push_other(slots_[slot], event);
    slots_[slot].event = event;
    word |= bit;
    groups_[slot / 4096] |= uint64_t{1} << (slot / 64 % 64);
  }
  void push_other(Slot& slot, uint64_t event) {
    if (free_ == kNone) {
      free_ = static_cast<uint32_t>(nodes_.size());
      nodes_.push_back({0, kNone});
    }
    const uint32_t added = free_;
    Node& node = nodes_[added];
    free_ = node.next;
    node = {event, slot.others};
    slot.others = added;
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
    const size_t number = slot_of(now_);
    uint64_t& word = words_[number / 64];
    const uint64_t bit = uint64_t{1} << (number % 64);
    if ((word & bit) == 0) return;
    word &= ~bit;
    if (word == 0) groups_[number / 4096] &= ~(uint64_t{1} << (number / 64 % 64));
    Slot& slot = slots_[number];
    due_.push_back(slot.event);
    while (slot.others != kNone) take_other(slot);
  }
  void take_other(Slot& slot) {
    const uint32_t taken = slot.others;
    Node& node = nodes_[taken];
    due_.push_back(node.event);
    slot.others = node.next;
    node.next = free_;
    free_ = taken;
  }

  void take_far() {
    std::pop_heap(far_.begin(), far_.end(), later);
    due_.push_back(far_.back().event);
    far_.pop_back();
  }

  int64_t now_ = 0;
  std::vector<uint64_t> due_{kNothing};  // of the current cycle: kind, then id; then kNothing
  const uint64_t* next_ = due_.data();   // of them
  std::vector<Slot> slots_;
  std::vector<Node> nodes_ = std::vector<Node>(1);  // the first stands for none
  uint32_t free_ = kNone;
  std::array<uint64_t, kWords> words_{};    // a bit per slot
  std::array<uint64_t, kGroups> groups_{};  // a bit per word
  std::vector<Far> far_;
};

}  // namespace pto
