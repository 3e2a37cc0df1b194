// Numbers of events (rule 16): small, and used again.
#pragma once

#include <cstdint>
#include <vector>

namespace pto {

class EventNumbers {
 public:
  uint32_t take() {
    if (free_.empty()) return next_++;
    const uint32_t event = free_.back();
    free_.pop_back();
    return event;
  }
  void give_back(uint32_t event) { free_.push_back(event); }

 private:
  std::vector<uint32_t> free_;
  uint32_t next_ = 0;
};

}  // namespace pto
