// A task between its submission and the end of its body.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include "pto/abi.h"

namespace pto {

// For a few instructions, rarely wanted by two threads at once.
class SpinLock {
 public:
  void lock() {
    while (taken_.exchange(true, std::memory_order_acquire)) {
      while (taken_.load(std::memory_order_relaxed)) std::this_thread::yield();
    }
  }
  void unlock() { taken_.store(false, std::memory_order_release); }

 private:
  std::atomic<bool> taken_{false};
};

struct HostTask {
  int64_t id = -1;
  uint32_t kernel = 0;
  uint32_t site = 0;
  std::vector<int64_t> axes;
  std::vector<int64_t> numbers;
  std::vector<pto_tile> args;
  // Unfinished sources, and one until the submission is complete.
  std::atomic<int32_t> waiting{0};
  SpinLock lock;  // guards `successors`, and `done` together with them
  std::atomic<bool> done{true};
  std::vector<HostTask*> successors;
};

}  // namespace pto
