// A memory that all cores share, as a server (rule 11): what a task moves is booked behind what was booked before.
#pragma once

#include <algorithm>
#include <cstdint>

namespace pto {

class MemoryServer {
 public:
  // Moves `bytes` in `cycles`; 0 bytes: it is never the limit.
  MemoryServer(int64_t bytes, int64_t cycles) : bytes_(bytes), cycles_(cycles) {}

  // The cycles that so many bytes take, rounded up; 0 where the memory is never the limit.
  int64_t time_of(int64_t bytes) const {
    if (bytes_ == 0 || bytes == 0) return 0;
    if (bytes < kFits / cycles_) return (bytes * cycles_ + bytes_ - 1) / bytes_;
    return static_cast<int64_t>((static_cast<__int128>(bytes) * cycles_ + bytes_ - 1) / bytes_);
  }

  // Not before `first_end` the first block is there, not before `end` all is moved.
  struct Booking {
    int64_t first_end, end;
  };
  // Books `first` cycles for the block that a core waits for, of `all` cycles that its task takes. What cores wait
  // for goes before what they fetch ahead: first blocks queue behind first blocks alone.
  Booking book(int64_t now, int64_t first, int64_t all) {
    Booking booking{now, now};
    if (first > 0) booking.first_end = first_free_at_ = std::max(now, first_free_at_) + first;
    if (all > 0) booking.end = free_at_ = std::max(now, free_at_) + all;
    busy_ += all;
    return booking;
  }
  // Cycles booked so far.
  int64_t busy() const { return busy_; }

 private:
  static constexpr int64_t kFits = int64_t{1} << 62;

  int64_t bytes_, cycles_;
  int64_t first_free_at_ = 0;
  int64_t free_at_ = 0;
  int64_t busy_ = 0;
};

}  // namespace pto
