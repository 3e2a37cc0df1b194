// The touches of the live tasks, in order of their ids: a ring that grows by doubling.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "memory/cells.h"

namespace pto {

class TouchStore {
 public:
  // The place of the next touch; touches keep their places.
  uint64_t end() const { return end_; }
  const Touch& operator[](uint64_t place) const { return ring_[place & (ring_.size() - 1)]; }
  void push(const Touch& touch) {
    if (end_ - begin_ == ring_.size()) grow();
    ring_[end_++ & (ring_.size() - 1)] = touch;
  }
  // The oldest `count` are no longer needed.
  void release(uint32_t count) { begin_ += count; }

 private:
  void grow() {
    std::vector<Touch> larger(ring_.size() * 2);
    for (uint64_t i = begin_; i < end_; ++i) larger[i & (larger.size() - 1)] = (*this)[i];
    ring_ = std::move(larger);
  }
  std::vector<Touch> ring_ = std::vector<Touch>(1024);
  uint64_t begin_ = 0, end_ = 0;
};

}  // namespace pto
