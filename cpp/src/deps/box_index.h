// Finds the boxes that meet a box without looking at all of them.
#pragma once

#include <array>
#include <cstdint>
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
    bool alone = false;      // it fills its cell, as all boxes of its tensor do theirs: only the same one meets it
    int64_t cell = 0;
  };

  // `extents` per tensor; an axis that is not there counts as 1.
  explicit BoxIndex(std::vector<std::vector<int64_t>> extents);

  // The boxes are not empty.
  Place locate(const Box& box) const;
  // Handles are small and reused.
  Handle insert(const Box& box);
  void erase(Handle handle);
  Box box(Handle handle) const;
  // The handle of exactly this box, or kNone.
  Handle find(const Box& box) const { return find(box, locate(box)); }
  Handle find(const Box& box, const Place& place) const;
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

  struct ShapeClass {
    uint32_t tensor = 0;
    uint32_t rank = 0;
    bool exact = true;       // all boxes have the cell's extents
    bool straddles = false;  // a box may leave the cell that it begins in, or its tensor
    uint64_t salt = 0;
    Axes cell{};                                  // a cell's extents
    Axes stride{};                                // of cell coordinates in the cell's number
    Axes cells{};                                 // along an axis
    std::array<int8_t, PTO_MAX_RANK> shift{};     // log2 of the cell's extent, or -1
    std::array<uint8_t, PTO_MAX_RANK> key{};      // not exact: ceil(log2(extent)) per axis
    std::array<bool, PTO_MAX_RANK> straddling{};  // along an axis
    Axes largest{};                               // extents that occur
    std::vector<Handle> members;
  };
  // Small: most searches look at nothing else.
  struct Node {
    int64_t cell = 0;
    uint32_t shape = 0;
    Handle next = kNone;  // in its bucket; in the free list
  };
  struct CellRange {
    Axes first{}, last{};
    uint64_t cells = 1;
  };

  static int64_t coordinate(const ShapeClass& shape, uint32_t axis, int64_t offset);
  static int64_t cell_of(const ShapeClass& shape, const Box& box);
  static bool fills_its_cell(const ShapeClass& shape, const Box& box);
  static CellRange cells_to_search(const ShapeClass& shape, const Box& box);
  static void widen(ShapeClass& shape, const Box& box);
  int64_t extent(Handle handle, const ShapeClass& shape, uint32_t axis) const {
    return shape.exact ? shape.cell[axis] : extents_of_mixed_[handle][axis];
  }
  bool meets(Handle handle, const ShapeClass& shape, const Box& box) const;
  uint32_t class_of(const Box& box);
  uint32_t existing_class_of(const Box& box) const;
  uint32_t add_class(const Box& box, bool exact);
  void shape_cells(ShapeClass& shape, const Box& box) const;
  void search_cells(uint32_t shape, const CellRange& range, const Box& box, std::vector<Handle>& found) const;
  size_t bucket(const ShapeClass& shape, int64_t cell) const;
  void grow();

  std::vector<std::vector<int64_t>> extents_;
  std::vector<std::vector<uint32_t>> classes_of_tensor_;
  std::vector<ShapeClass> classes_;
  std::vector<Node> nodes_;
  std::vector<Axes> begins_;            // by handle
  std::vector<uint32_t> positions_;     // by handle: in its class's members
  std::vector<Axes> extents_of_mixed_;  // by handle, of boxes in classes that are not exact
  std::vector<Handle> buckets_;
  Handle free_ = kNone;
  size_t live_ = 0;
};

}  // namespace pto
