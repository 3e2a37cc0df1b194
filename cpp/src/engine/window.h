// The window of live tasks (rule 3): from `submit` to `retire`.
#pragma once

#include <algorithm>
#include <cstdint>

#include "pto/config.h"

namespace pto {

class Window {
 public:
  explicit Window(const Schedule& schedule) : limit_(schedule.window) {}

  bool fits_one_more() const { return submitted_ - retired_ < limit_; }
  // Answers the task's id.
  int64_t take_place() {
    high_water_ = std::max(high_water_, submitted_ + 1 - retired_);
    return submitted_++;
  }
  void retire_oldest() { ++retired_; }

  bool empty() const { return submitted_ == retired_; }
  int64_t oldest() const { return retired_; }  // id of the oldest live task
  int64_t submitted() const { return submitted_; }
  bool is_retired(int64_t id) const { return id < retired_; }
  int64_t high_water() const { return high_water_; }

 private:
  int64_t limit_;
  int64_t submitted_ = 0, retired_ = 0, high_water_ = 0;
};

}  // namespace pto
