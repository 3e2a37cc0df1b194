// Finds the boxes that meet a box without looking at all of them.
#pragma once

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "deps/box.h"

namespace pto {

// A hashed grid per tensor and class of shapes. A tensor's first few shapes are classes of their own; after them,
// boxes whose extents round up to the same powers of two share a class. A class's cells are as large as its first
// box, so that tile-aligned accesses are one cell each. A box is stored in the cell of its first element alone, hence
// found once.
class BoxIndex {
 public:
  using Handle = uint32_t;
  static constexpr Handle kNone = UINT32_MAX;

  // Where a box lies, or would lie.
  struct Place {
    uint32_t shape = kNone;  // its class
    uint32_t bucket = 0;
    int64_t cell = 0;
  };

  // `extents` per tensor; an axis that is not there counts as 1.
  explicit BoxIndex(std::vector<std::vector<int64_t>> extents);

  // Boxes are not empty.
  // Handles are small and reused.
  Handle insert(const Box& box);
  void erase(Handle handle);
  Box box(Handle handle) const;
  // The handle of exactly this box, or kNone.
  Handle find(const Box& box) const;

  // The short way, for a tile: it fills its cell, as all boxes of its tensor do theirs, so that only the same one meets
  // it. The place's class is kNone for any other region; a tile is not empty.
  Place tile(const pto_region& region) const;
  Handle find_tile(const Place& place) const;
  // The same one is not there.
  Handle insert_tile(const pto_region& region, const Place& place);

  // Appends the handles of all boxes that share an element with `box`, in no particular but deterministic order.
  void find_overlapping(const Box& box, std::vector<Handle>& found) const;
  // The box is `other`.
  bool is(Handle handle, const Box& other) const;
  bool lies_in(Handle handle, const Box& outer) const;

  size_t size() const { return live_; }
  // Handles are below this.
  size_t handles() const { return nodes_.size(); }

 private:
  using Axes = std::array<int64_t, PTO_MAX_RANK>;

  // Of a class along one axis.
  struct Axis {
    int64_t cell = 0;         // a cell's extent
    int64_t cells = 0;        // that the tensor has
    int64_t stride = 0;       // of cell coordinates in the cell's number
    int64_t largest = 0;      // extent that occurs
    int8_t shift = -1;        // log2 of the cell's extent, or -1
    uint8_t key = 0;          // not exact: ceil(log2(extent))
    bool straddling = false;  // a box leaves the cell that it begins in
  };
  struct ShapeClass {
    uint32_t tensor = 0;
    uint32_t rank = 0;
    bool exact = true;       // all boxes have the cell's extents
    bool straddles = false;  // a box may leave the cell that it begins in, or its tensor
    uint64_t salt = 0;
    std::array<Axis, PTO_MAX_RANK> axes{};
    std::vector<Handle> members;
  };
  // Small: most searches look at nothing else.
  struct Node {
    int64_t cell = 0;
    uint32_t shape = 0;
    Handle next = kNone;    // in its bucket; in the free list
    uint32_t position = 0;  // in its class's members
    uint32_t bucket = 0;
  };
  // The one class of a tensor whose boxes all fill their cells.
  struct Tiling {
    uint32_t shape = kNone;  // none: the tensor's boxes are not like that
    uint64_t salt = 0;
    std::array<Axis, PTO_MAX_RANK> axes{};
  };
  struct CellRange {
    Axes first{}, last{};
    uint64_t cells = 1;
  };

  static int64_t coordinate(const Axis& axis, int64_t offset);
  static int64_t cell_of(const ShapeClass& shape, const Box& box);
  static CellRange cells_to_search(const ShapeClass& shape, const Box& box);
  static void widen(ShapeClass& shape, const Box& box);
  int64_t extent(Handle handle, const ShapeClass& shape, uint32_t axis) const {
    return shape.exact ? shape.axes[axis].cell : extents_of_mixed_[handle][axis];
  }
  bool meets(Handle handle, const ShapeClass& shape, const Box& box) const;
  uint32_t class_of(const Box& box);
  uint32_t existing_class_of(const Box& box) const;
  uint32_t add_class(const Box& box, bool exact);
  void shape_cells(ShapeClass& shape, const Box& box) const;
  void search_cells(uint32_t shape, const CellRange& range, const Box& box, std::vector<Handle>& found) const;
  uint32_t bucket(uint64_t salt, int64_t cell) const;
  Handle free_handle();
  void link(Handle handle, uint32_t shape_class, int64_t cell, uint32_t bucket);
  void note_tiling(uint32_t tensor);
  void grow();

  std::vector<std::vector<int64_t>> extents_;
  std::vector<std::vector<uint32_t>> classes_of_tensor_;
  std::vector<Tiling> tilings_;  // by tensor
  std::vector<ShapeClass> classes_;
  std::vector<Node> nodes_;
  std::vector<Axes> begins_;            // by handle
  std::vector<Axes> extents_of_mixed_;  // by handle, of boxes in classes that are not exact
  std::vector<Handle> buckets_;         // a power of two of them
  uint32_t bucket_mask_;
  Handle free_ = kNone;
  size_t live_ = 0;
};

// Rounded down; an offset is not negative. Small numbers divide several times faster.
inline int64_t BoxIndex::coordinate(const Axis& axis, int64_t offset) {
  if (axis.shift >= 0) return offset >> axis.shift;
  if (((offset | axis.cell) >> 32) == 0) return static_cast<uint32_t>(offset) / static_cast<uint32_t>(axis.cell);
  return offset / axis.cell;
}

// Neighbouring cells lie side by side, in runs of 64; the runs lie anywhere.
inline uint32_t BoxIndex::bucket(uint64_t salt, int64_t cell) const {
  const auto number = static_cast<uint64_t>(cell);
  const uint64_t run = (number / 64 ^ salt) * 0xD6E8FEB86659FD93ull;
  return static_cast<uint32_t>(number ^ run >> 32) & bucket_mask_;
}

inline BoxIndex::Place BoxIndex::tile(const pto_region& region) const {
  const Tiling& tiling = tilings_[region.tensor];
  if (tiling.shape == kNone) return {};
  int64_t cell = 0;
  for (uint32_t d = 0; d < region.rank; ++d) {
    const Axis& axis = tiling.axes[d];
    const int64_t at = coordinate(axis, region.offset[d]);
    if (region.extent[d] != axis.cell || at * axis.cell != region.offset[d] || at >= axis.cells) return {};
    cell += at * axis.stride;
  }
  return {tiling.shape, bucket(tiling.salt, cell), cell};
}

inline BoxIndex::Handle BoxIndex::find_tile(const Place& place) const {
  Handle h = buckets_[place.bucket];
  while (h != kNone && (nodes_[h].cell != place.cell || nodes_[h].shape != place.shape)) h = nodes_[h].next;
  return h;
}

inline BoxIndex::Handle BoxIndex::insert_tile(const pto_region& region, const Place& place) {
  const Handle handle = free_handle();
  link(handle, place.shape, place.cell, place.bucket);
  for (uint32_t d = 0; d < region.rank; ++d) begins_[handle][d] = region.offset[d];
  return handle;
}

inline BoxIndex::Handle BoxIndex::free_handle() {
  if (free_ != kNone) return std::exchange(free_, nodes_[free_].next);
  nodes_.emplace_back();
  begins_.emplace_back();
  return static_cast<Handle>(nodes_.size() - 1);
}

inline void BoxIndex::link(Handle handle, uint32_t shape_class, int64_t cell, uint32_t bucket) {
  std::vector<Handle>& members = classes_[shape_class].members;
  Handle& head = buckets_[bucket];
  nodes_[handle] = {cell, shape_class, head, static_cast<uint32_t>(members.size()), bucket};
  head = handle;
  members.push_back(handle);
  if (++live_ > bucket_mask_) grow();
}

}  // namespace pto
