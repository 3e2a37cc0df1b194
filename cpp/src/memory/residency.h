// What L2 holds: cells, the least recently used one leaves first (rule 11).
#pragma once

#include <cstdint>
#include <vector>

#include "memory/cells.h"

namespace pto {

class Residency {
 public:
  explicit Residency(int64_t capacity) : capacity_(capacity) {}

  // The bytes that go between L2 and HBM for it: those that were not there, and those written that had to leave.
  int64_t touch(const Touch& touch);

  int64_t held() const { return held_; }  // bytes

 private:
  static constexpr int32_t kNone = -1;
  struct Cell {
    int64_t resident = 0, written = 0;  // bytes; at most the cell's
    int32_t newer = kNone, older = kNone;
    bool listed = false;
  };
  Cell& at(int32_t cell) { return cells_[static_cast<size_t>(cell)]; }
  void unlink(int32_t cell);
  void make_newest(int32_t cell);
  int64_t make_room();

  int64_t capacity_;
  int64_t held_ = 0;
  int32_t newest_ = kNone, oldest_ = kNone;
  std::vector<Cell> cells_;
};

}  // namespace pto
