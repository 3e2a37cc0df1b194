#include "memory/residency.h"

#include <algorithm>

namespace pto {

int64_t Residency::touch(const Touch& touch) {
  const auto id = static_cast<int32_t>(touch.cell);
  if (touch.cell >= cells_.size()) cells_.resize(std::max<size_t>(touch.cell + 1, 2 * cells_.size()));
  Cell& cell = at(id);
  const int64_t added = std::min(touch.bytes, touch.size - cell.resident);
  cell.resident += added;
  held_ += added;
  if (touch.writes) cell.written = std::min(touch.size, cell.written + touch.bytes);
  make_newest(id);
  return (touch.writes ? 0 : added) + make_room();
}

void Residency::unlink(int32_t id) {
  const Cell& cell = at(id);
  (cell.newer == kNone ? newest_ : at(cell.newer).older) = cell.older;
  (cell.older == kNone ? oldest_ : at(cell.older).newer) = cell.newer;
}

void Residency::make_newest(int32_t id) {
  if (newest_ == id) return;
  Cell& cell = at(id);
  if (cell.listed) unlink(id);
  cell.listed = true;
  cell.newer = kNone;
  cell.older = newest_;
  (newest_ == kNone ? oldest_ : at(newest_).newer) = id;
  newest_ = id;
}

// Cells leave until the others fit; what was written goes to HBM.
int64_t Residency::make_room() {
  int64_t written = 0;
  while (held_ > capacity_) {
    const int32_t id = oldest_;
    unlink(id);
    written += at(id).written;
    held_ -= at(id).resident;
    at(id) = {};
  }
  return written;
}

}  // namespace pto
