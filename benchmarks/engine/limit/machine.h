// The machine in virtual time: two kinds of cores, one ready queue each, a window, and nothing else.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <stdexcept>
#include <utility>
#include <vector>

#include "kernel.h"

namespace limit {

// At most one event per core, less than kCycles away: a list of cores per cycle, and two levels of bits over them.
class Calendar {
 public:
  static constexpr int64_t kCycles = 1 << 16;
  static constexpr int kNone = -1;

  Calendar() { first_.fill(kNone); }

  void add(int64_t time, int core) {
    const auto slot = static_cast<size_t>(time % kCycles);
    next_[static_cast<size_t>(core)] = first_[slot];
    first_[slot] = static_cast<int8_t>(core);
    words_[slot / 64] |= uint64_t{1} << (slot % 64);
    summary_[slot / 4096] |= uint64_t{1} << (slot / 64 % 64);
  }

  // The next time with an event, after `now`. There is one.
  int64_t next(int64_t now) const {
    const auto slot = static_cast<size_t>((now + 1) % kCycles);
    const uint64_t here = words_[slot / 64] & ~uint64_t{0} << (slot % 64);
    const size_t found = here != 0 ? slot / 64 * 64 + lowest(here) : first_from((slot / 64 + 1) % words_.size());
    return now + 1 + static_cast<int64_t>((found - slot) % kCycles);
  }

  // Takes the events of a cycle; `visit` gets each one's core.
  template <typename Visit>
  void take(int64_t time, Visit visit) {
    const auto slot = static_cast<size_t>(time % kCycles);
    words_[slot / 64] &= ~(uint64_t{1} << (slot % 64));
    if (words_[slot / 64] == 0) summary_[slot / 4096] &= ~(uint64_t{1} << (slot / 64 % 64));
    for (int core = std::exchange(first_[slot], kNone); core != kNone; core = next_[static_cast<size_t>(core)]) {
      visit(core);
    }
  }

 private:
  static size_t lowest(uint64_t bits) { return static_cast<size_t>(std::countr_zero(bits)); }

  size_t first_from(size_t word) const {
    size_t group = word / 64;
    uint64_t bits = summary_[group] & ~uint64_t{0} << (word % 64);
    while (bits == 0) {
      group = (group + 1) % summary_.size();
      bits = summary_[group];
    }
    const size_t found = group * 64 + lowest(bits);
    return found * 64 + lowest(words_[found]);
  }

  std::array<int8_t, kCycles> first_;
  std::array<int8_t, 128> next_{};
  std::array<uint64_t, kCycles / 64> words_{};
  std::array<uint64_t, kCycles / 4096> summary_{};
};

class Machine {
 public:
  Machine(int64_t window, std::vector<Kernel> kernels)
      : window_(window), kernels_(std::move(kernels)), slots_(std::bit_ceil(static_cast<size_t>(window))) {
    for (const Kernel& kernel : kernels_) {
      if (kernel.cycles < 1 || kernel.cycles >= Calendar::kCycles) {
        throw std::invalid_argument("kernels last from 1 to 65535 cycles");
      }
    }
  }

  // The next task, as soon as the window has room: the time goes on as long as it has not.
  void submit(uint32_t kernel, const int64_t* sources, size_t count) {
    while (next_ - oldest_ == window_) advance();
    const int64_t id = next_++;
    Slot& task = slot(id);
    task = {0, kNone, kernel, false};
    for (size_t i = 0; i < count; ++i) {
      if (sources[i] < oldest_) continue;
      Slot& source = slot(sources[i]);
      if (source.finished) continue;
      const uint32_t link = take_link();
      links_[link] = {id, source.successors};
      source.successors = link;
      ++task.unresolved;
    }
    if (task.unresolved == 0) ready(id, task);
  }

  // Runs all tasks to their end and answers the last cycle.
  int64_t finish() {
    while (oldest_ < next_) advance();
    return now_;
  }

 private:
  static constexpr uint32_t kNone = UINT32_MAX;

  struct Slot {
    int32_t unresolved;
    uint32_t successors;
    uint32_t kernel;
    bool finished;
  };
  struct Link {
    int64_t task;
    uint32_t next;
  };
  struct Queue {
    std::vector<int64_t> ring;
    size_t head = 0, tail = 0;
  };

  Slot& slot(int64_t id) { return slots_[static_cast<size_t>(id) & (slots_.size() - 1)]; }

  void ready(int64_t id, const Slot& task) {
    Queue& queue = queues_[static_cast<size_t>(kernels_[task.kernel].unit)];
    queue.ring[queue.tail++ & (queue.ring.size() - 1)] = id;
  }

  void advance() {
    dispatch(Unit::Cube);
    dispatch(Unit::Vector);
    now_ = calendar_.next(now_);
    calendar_.take(now_, [this](int core) {
      idle_[static_cast<size_t>(core) / 64] |= uint64_t{1} << (core % 64);
      finish_task(running_[static_cast<size_t>(core)]);
    });
    while (oldest_ < next_ && slot(oldest_).finished) ++oldest_;
  }

  void dispatch(Unit unit) {
    const auto u = static_cast<size_t>(unit);
    Queue& queue = queues_[u];
    while (queue.head != queue.tail && idle_[u] != 0) {
      const int core = static_cast<int>(u) * 64 + std::countr_zero(idle_[u]);
      idle_[u] &= idle_[u] - 1;
      const int64_t id = queue.ring[queue.head++ & (queue.ring.size() - 1)];
      running_[static_cast<size_t>(core)] = id;
      calendar_.add(now_ + kernels_[slot(id).kernel].cycles, core);
    }
  }

  void finish_task(int64_t id) {
    Slot& task = slot(id);
    task.finished = true;
    for (uint32_t link = task.successors; link != kNone;) {
      const Link taken = links_[link];
      links_[link].next = free_link_;
      free_link_ = link;
      link = taken.next;
      Slot& successor = slot(taken.task);
      if (--successor.unresolved == 0) ready(taken.task, successor);
    }
  }

  uint32_t take_link() {
    if (free_link_ == kNone) {
      links_.emplace_back();
      return static_cast<uint32_t>(links_.size() - 1);
    }
    const uint32_t link = free_link_;
    free_link_ = links_[link].next;
    return link;
  }

  int64_t window_;
  std::vector<Kernel> kernels_;
  int64_t now_ = 0, next_ = 0, oldest_ = 0;
  std::vector<Slot> slots_;
  std::vector<Link> links_;
  uint32_t free_link_ = kNone;
  std::array<Queue, 2> queues_{Queue{std::vector<int64_t>(slots_.size())}, Queue{std::vector<int64_t>(slots_.size())}};
  std::array<uint64_t, 2> idle_ = {(uint64_t{1} << kCube) - 1, (uint64_t{1} << kVector) - 1};
  std::array<int64_t, 128> running_{};
  Calendar calendar_;
};

}  // namespace limit
