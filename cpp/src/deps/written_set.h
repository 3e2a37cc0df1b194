// Which elements of the tensors were written by tasks that left the window long ago.
#pragma once

#include <vector>

#include "deps/box_index.h"

namespace pto {

// A union of boxes: covered ones disappear and neighbours are merged where their union is a box, so that writing a
// tensor tile by tile ends in one box.
class WrittenSet {
 public:
  explicit WrittenSet(std::vector<std::vector<int64_t>> extents) : index_(std::move(extents)) {}

  void add(const Box& box);
  bool meets(const Box& box);
  // Every element of `box` lies in the set.
  bool covers(const Box& box) const;
  size_t size() const { return index_.size(); }

 private:
  bool absorb_neighbour(Box& box);

  BoxIndex index_;
  std::vector<BoxIndex::Handle> found_;
};

}  // namespace pto
