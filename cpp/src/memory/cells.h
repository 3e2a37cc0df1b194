// Tensors cut into cells, the units in which L2 remembers what it holds (rule 11).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "pto/source.h"

namespace pto {

// A task's access to a part of a cell, or to all of it.
struct Touch {
  uint32_t cell = 0;
  bool writes = false;
  int64_t bytes = 0;  // of the part
  int64_t size = 0;   // of the cell

  bool operator==(const Touch&) const = default;
};

// The grid of a tensor's cells. Its cells have the extents of the first region, doubled from the last axis to the
// first as long as there are too many of them.
class CellGrid {
 public:
  static constexpr int64_t kMostCells = 4096;

  CellGrid() = default;
  CellGrid(const TensorInfo& tensor, const pto_region& region, uint32_t first_cell);

  bool is_set() const { return rank_ > 0; }
  uint32_t count() const { return count_; }
  // Calls `visit(cell, elements, size)` for each cell that the region meets, row-major: how many of the cell's
  // elements lie in the region, and how many it has.
  template <typename Visit>
  void meet(const pto_region& region, Visit visit) const;

 private:
  struct Axis {
    int64_t extent, cell, count;
  };
  template <typename Visit>
  void meet_axis(const pto_region& region, uint32_t axis, int64_t cell, int64_t part, int64_t size, Visit visit) const;

  uint32_t rank_ = 0;
  std::array<Axis, PTO_MAX_RANK> axes_{};
  uint32_t first_cell_ = 0;
  uint32_t count_ = 0;
};

// The touches of tasks, in program order.
class Cells {
 public:
  Cells(std::span<const KernelInfo> kernels, std::span<const TensorInfo> tensors);

  // Operand after operand; what is both read and written is read first. None for a kernel that moves nothing.
  // `loads`: the bytes that the task loads through each parameter; empty where all of each region is loaded.
  const std::vector<Touch>& touches(const pto_task& task, const KernelCost& cost, std::span<const int64_t> loads);

 private:
  CellGrid& grid(const pto_region& region);
  int64_t bytes(const pto_region& region) const;
  void touch(const pto_region& region, bool writes, int64_t moved, int64_t of);

  std::span<const KernelInfo> kernels_;
  std::vector<TensorInfo> tensors_;
  std::vector<CellGrid> grids_;  // by tensor
  uint32_t cells_ = 0;
  std::vector<Touch> touches_;
};

}  // namespace pto
