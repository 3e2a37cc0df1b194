// The window of live tasks (rule 3): from `submit` to `retire`.
#pragma once

#include <algorithm>
#include <cstdint>

#include "pto/config.h"

namespace pto {

// Sizes are in the schedule's window_unit: tasks, bytes or entries.
class Window {
 public:
  explicit Window(const Schedule& schedule) : limit_(schedule.window) {}

  bool fits(int64_t size) const { return size <= limit_ - used_; }
  bool can_ever_fit(int64_t size) const { return size <= limit_; }
  // Answers the task's id. Where it does not fit the window is overrun.
  int64_t take_place(int64_t size) {
    used_ += size;
    high_water_ = std::max(high_water_, used_);
    return submitted_++;
  }
  void retire_oldest(int64_t size) {
    used_ -= size;
    ++retired_;
  }

  bool empty() const { return submitted_ == retired_; }
  int64_t oldest() const { return retired_; }  // id of the oldest live task
  int64_t submitted() const { return submitted_; }
  bool is_retired(int64_t id) const { return id < retired_; }
  int64_t limit() const { return limit_; }
  int64_t used() const { return used_; }
  int64_t high_water() const { return high_water_; }

 private:
  int64_t limit_;
  int64_t submitted_ = 0, retired_ = 0;  // tasks
  int64_t used_ = 0, high_water_ = 0;
};

}  // namespace pto
