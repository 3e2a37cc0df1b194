// A task between its submission and the end of its body.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <vector>

#include "pto/abi.h"

namespace pto {

struct HostTask {
  int64_t id = -1;
  uint32_t kernel = 0;
  uint32_t site = 0;
  std::vector<int64_t> axes;
  std::vector<int64_t> numbers;
  std::vector<pto_tile> args;
  // Unfinished sources, and one until the submission is complete.
  std::atomic<int32_t> waiting{0};
  std::mutex mutex;  // guards `successors`, and `done` together with them
  std::atomic<bool> done{true};
  std::vector<HostTask*> successors;
};

}  // namespace pto
