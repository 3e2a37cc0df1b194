// A queue in a ring that grows by doubling and never shrinks: no allocation in steady state.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace pto {

template <typename T>
class Fifo {
 public:
  bool empty() const { return head_ == tail_; }
  size_t size() const { return tail_ - head_; }
  void push(const T& value) {
    if (size() > mask_) grow();
    ring_[tail_++ & mask_] = value;
  }
  // Not on an empty queue, all of these.
  const T& front() const { return ring_[head_ & mask_]; }
  const T& operator[](size_t place) const { return ring_[(head_ + place) & mask_]; }
  const T& back() const { return ring_[(tail_ - 1) & mask_]; }
  void pop_front() { ++head_; }
  void pop_back() { --tail_; }

 private:
  void grow() {
    std::vector<T> larger(ring_.size() * 2);
    const size_t count = size();
    for (size_t i = 0; i < count; ++i) larger[i] = (*this)[i];
    ring_ = std::move(larger);
    mask_ = ring_.size() - 1;
    head_ = 0;
    tail_ = count;
  }
  std::vector<T> ring_ = std::vector<T>(16);
  size_t mask_ = 15;  // of a place in it
  size_t head_ = 0, tail_ = 0;
};

}  // namespace pto
