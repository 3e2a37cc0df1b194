#include "deps/written_set.h"

namespace pto {

void WrittenSet::add(const Box& box) {
  Box grown = box;
  found_.clear();
  index_.find_overlapping(box, found_);
  for (const BoxIndex::Handle h : found_) {
    if (contains(index_.box(h), box)) return;
  }
  for (const BoxIndex::Handle h : found_) {
    if (contains(box, index_.box(h))) index_.erase(h);
  }
  while (absorb_neighbour(grown)) {
  }
  index_.insert(grown);
}

bool WrittenSet::absorb_neighbour(Box& box) {
  Box reach = box;
  for (uint32_t d = 0; d < box.rank; ++d) {
    reach.begin[d] = std::max<int64_t>(0, box.begin[d] - 1);
    reach.end[d] = box.end[d] + 1;
  }
  found_.clear();
  index_.find_overlapping(reach, found_);
  for (const BoxIndex::Handle h : found_) {
    if (!union_is_box(index_.box(h), box)) continue;
    box = bounding_box(index_.box(h), box);
    index_.erase(h);
    return true;
  }
  return false;
}

bool WrittenSet::meets(const Box& box) {
  found_.clear();
  index_.find_overlapping(box, found_);
  return !found_.empty();
}

// What one of the set's boxes leaves of `box` is cut into boxes, and each of those looked for again.
bool WrittenSet::covers(const Box& box) const {
  std::vector<BoxIndex::Handle> found;
  index_.find_overlapping(box, found);
  if (found.empty()) return false;
  const Box& part = index_.box(found.front());
  Box rest = box;
  for (uint32_t d = 0; d < box.rank; ++d) {
    Box below = rest, above = rest;
    below.end[d] = std::min(rest.end[d], part.begin[d]);
    above.begin[d] = std::max(rest.begin[d], part.end[d]);
    if (!is_empty(below) && !covers(below)) return false;
    if (!is_empty(above) && !covers(above)) return false;
    rest.begin[d] = std::max(rest.begin[d], part.begin[d]);
    rest.end[d] = std::min(rest.end[d], part.end[d]);
  }
  return true;
}

}  // namespace pto
