// Regions as half-open boxes, and how two of them lie to each other.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "pto/abi.h"
#include "pto/source.h"

namespace pto {

// Elements begin[d] <= index[d] < end[d] of one tensor, for each axis d < rank. Without axes: one element.
struct Box {
  uint32_t tensor = 0;
  uint32_t rank = 0;
  std::array<int64_t, PTO_MAX_RANK> begin{};
  std::array<int64_t, PTO_MAX_RANK> end{};
};

inline Box box_of(const pto_region& region) {
  Box box;
  box.tensor = region.tensor;
  box.rank = region.rank;
  for (uint32_t d = 0; d < region.rank; ++d) {
    box.begin[d] = region.offset[d];
    box.end[d] = region.offset[d] + region.extent[d];
  }
  return box;
}

inline bool is_empty(const Box& box) {
  for (uint32_t d = 0; d < box.rank; ++d) {
    if (box.end[d] <= box.begin[d]) return true;
  }
  return false;
}

// The rest is for boxes of one tensor, none of them empty.

inline bool share_an_element(const Box& a, const Box& b) {
  for (uint32_t d = 0; d < a.rank; ++d) {
    if (a.begin[d] >= b.end[d] || b.begin[d] >= a.end[d]) return false;
  }
  return true;
}

inline bool contains(const Box& outer, const Box& inner) {
  for (uint32_t d = 0; d < outer.rank; ++d) {
    if (inner.begin[d] < outer.begin[d] || inner.end[d] > outer.end[d]) return false;
  }
  return true;
}

inline bool same_elements(const Box& a, const Box& b) { return contains(a, b) && contains(b, a); }

// True where the union of both is a box: they differ along one axis at most and leave no gap there.
inline bool union_is_box(const Box& a, const Box& b) {
  uint32_t differing = 0;
  for (uint32_t d = 0; d < a.rank; ++d) {
    if (a.begin[d] == b.begin[d] && a.end[d] == b.end[d]) continue;
    if (a.begin[d] > b.end[d] || b.begin[d] > a.end[d]) return false;
    ++differing;
  }
  return differing <= 1;
}

inline Box bounding_box(const Box& a, const Box& b) {
  Box box = a;
  for (uint32_t d = 0; d < a.rank; ++d) {
    box.begin[d] = std::min(a.begin[d], b.begin[d]);
    box.end[d] = std::max(a.end[d], b.end[d]);
  }
  return box;
}

// By tensor.
inline std::vector<std::vector<int64_t>> extents_of(std::span<const TensorInfo> tensors) {
  std::vector<std::vector<int64_t>> extents;
  for (const TensorInfo& tensor : tensors) extents.push_back(tensor.extent);
  return extents;
}

}  // namespace pto
