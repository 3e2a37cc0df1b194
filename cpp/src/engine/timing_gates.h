// Timing policies that hold tasks back, machine-wide (rule 9).
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "pto/config.h"

namespace pto {

// rate_limit(r): dispatches begin at least so many cycles apart.
class RateGate {
 public:
  RateGate(const Schedule& schedule, int64_t clock_hz) {
    if (schedule.timing != Timing::RateLimit) return;
    const int64_t per_second = 1000 * schedule.timing_number;
    apart_ = (clock_hz + per_second - 1) / per_second;
  }
  bool limits() const { return apart_ > 0; }
  bool is_open(int64_t now) const { return now >= opens_; }
  // When it opened, or will open: 0 before the first dispatch.
  int64_t opens() const { return opens_; }
  void dispatched(int64_t now) { opens_ = now + apart_; }

 private:
  int64_t apart_ = 0;
  int64_t opens_ = 0;
};

// batched(n): tasks that have become ready wait for each other.
class BatchGate {
 public:
  explicit BatchGate(const Schedule& schedule)
      : size_(schedule.timing == Timing::Batched ? static_cast<size_t>(schedule.timing_number) : 1) {}

  // Answers true where the batch is complete.
  bool hold(int64_t task) {
    held_.push_back(task);
    return held_.size() == size_;
  }
  bool empty() const { return held_.empty(); }
  std::vector<int64_t> take() { return std::exchange(held_, {}); }

 private:
  size_t size_;
  std::vector<int64_t> held_;
};

}  // namespace pto
