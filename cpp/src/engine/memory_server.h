// The memory that all cores share (rule 11): one server, first come, first served.
#pragma once

#include <algorithm>
#include <cstdint>

#include "pto/config.h"
#include "pto/stats.h"

namespace pto {

class MemoryServer {
 public:
  explicit MemoryServer(const MachineConfig& machine) : bytes_(machine.memory_bytes), cycles_(machine.memory_cycles) {}

  // The time that so many bytes take, rounded up; 0 where the memory is never the limit.
  int64_t time_of(int64_t bytes) const {
    if (bytes_ == 0) return 0;
    return static_cast<int64_t>((static_cast<__int128>(bytes) * cycles_ + bytes_ - 1) / bytes_);
  }
  bool limits() const { return bytes_ != 0; }

  // Books `time` cycles behind the bookings before it, not before `now`; answers the booking's begin.
  int64_t book(int64_t now, int64_t time) {
    const int64_t begin = std::max(now, free_at_);
    free_at_ = begin + time;
    return begin;
  }

 private:
  int64_t bytes_, cycles_;
  int64_t free_at_ = 0;
};

}  // namespace pto
