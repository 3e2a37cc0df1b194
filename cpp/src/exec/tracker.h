// Which unfinished tasks read or write which elements: the order that sound overlap and program order ask for.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <unordered_map>
#include <vector>

#include "pto/abi.h"

namespace pto {

// Boxes of one tensor, found by overlap.
//
// Boxes of about one size form a level: a grid whose cell is, in each dimension, the next power of two of the
// extent. A box is filed under the cell of its first element alone, so what meets a query begins in a cell that the
// query touches, or in the one before it.
class BoxIndex {
 public:
  // Calls `forget(id, box)` for every box that may meet `region`, and drops those for which it is true.
  using Forget = std::function<bool(int64_t id, const pto_region& box)>;
  void visit(const pto_region& region, const Forget& forget);

  using Done = std::function<bool(int64_t id)>;
  // Makes room by dropping boxes of tasks that are done.
  void insert(int64_t id, const pto_region& region, const Done& done);

 private:
  struct Entry {
    int64_t id;
    pto_region box;
  };
  using Cell = std::vector<Entry>;
  struct Level {
    std::array<uint8_t, PTO_MAX_RANK> shift{};  // log2 of the cell's extents
    std::unordered_map<uint64_t, Cell> cells;
    int64_t entries = 0;
    int64_t until_sweep = 0;  // inserts
  };

  static void visit_level(Level& level, const pto_region& region, const Forget& forget);
  static void visit_cell(Level& level, Cell& cell, const Forget& forget);
  static void sweep(Level& level, const Done& done);
  Level& level_of(const pto_region& region);

  std::vector<Level> levels_;
};

// The accesses of one tensor. An access lives until its task is done or a later write contains it.
class RegionTracker {
 public:
  using Done = BoxIndex::Done;
  using Found = std::function<void(int64_t id)>;

  // Calls `found` for every live access that an access of `region` must wait for: writes, and for a write also
  // reads. Forgets what is done, or what the write contains. May name an id more than once.
  void find(const pto_region& region, bool write, const Done& done, const Found& found);
  void insert(int64_t id, const pto_region& region, bool write, const Done& done);

 private:
  BoxIndex writes_, reads_;
};

}  // namespace pto
