// Finds the boxes that meet a box without looking at all of them.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "deps/box.h"

namespace pto {

// A hashed grid per tensor and class of shapes. Boxes whose extents round up to the same powers of two form a class;
// a class's cells are as large as its first box, so that tile-aligned accesses fall into one cell each. A box is
// stored in the cell of its first element alone, hence found once.
class BoxIndex {
 public:
  using Handle = uint32_t;
  static constexpr Handle kNone = UINT32_MAX;

  // `extents` per tensor; an axis that is not there counts as 1.
  explicit BoxIndex(std::vector<std::vector<int64_t>> extents);

  // `box` is not empty. Handles are small and reused.
  Handle insert(const Box& box);
  void erase(Handle handle);
  const Box& box(Handle handle) const { return nodes_[handle].box; }
  // The handle of exactly this box, or kNone.
  Handle find(const Box& box) const;
  // Appends the handles of all boxes that share an element with `box`, in no particular but deterministic order.
  void find_overlapping(const Box& box, std::vector<Handle>& found) const;

  size_t size() const { return live_; }

 private:
  using Axes = std::array<int64_t, PTO_MAX_RANK>;

  struct ShapeClass {
    std::array<uint8_t, PTO_MAX_RANK> key{};  // ceil(log2(extent)) per axis
    uint64_t salt = 0;
    Axes cell{};                                 // a cell's extents
    Axes stride{};                               // of cell coordinates in the cell's number
    Axes largest{};                              // extents that occur
    std::array<bool, PTO_MAX_RANK> straddles{};  // a box may leave the cell that it begins in
    std::vector<Handle> members;
  };
  struct Node {
    Box box;
    uint32_t shape_class = 0;
    uint32_t position = 0;  // in members
    int64_t cell = 0;
    Handle next = kNone;  // in its bucket; in the free list
  };
  struct CellRange {
    Axes first{}, last{};
    uint64_t cells = 1;
  };

  uint32_t class_of(const Box& box);
  uint32_t existing_class_of(const Box& box) const;
  void shape_cells(ShapeClass& shape, const Box& box) const;
  static void widen(ShapeClass& shape, const Box& box);
  static int64_t cell_of(const ShapeClass& shape, const Box& box);
  static CellRange cells_to_search(const ShapeClass& shape, const Box& box);
  void search_cells(const ShapeClass& shape, uint32_t shape_class, const CellRange& range, const Box& box,
                    std::vector<Handle>& found) const;
  size_t bucket(const ShapeClass& shape, int64_t cell) const;
  void grow();

  std::vector<std::vector<int64_t>> extents_;
  std::vector<std::vector<uint32_t>> classes_of_tensor_;
  std::vector<ShapeClass> classes_;
  std::vector<Node> nodes_;
  std::vector<Handle> buckets_;
  Handle free_ = kNone;
  size_t live_ = 0;
};

}  // namespace pto
