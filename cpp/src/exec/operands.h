// From a task's regions to the tiles that its kernel sees, with every check that memory safety asks for.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "pto/executor.h"

namespace pto {

// The element strides of a dense row-major tensor.
std::vector<int64_t> row_major_strides(const pto_tensor& tensor);

// Throws ExecutionError, beginning with `what`, for a region that has another rank than its tensor or leaves it.
void check_inside(const pto_region& region, const pto_tensor& tensor, const std::string& what);

class TileBuilder {
 public:
  explicit TileBuilder(std::span<const TensorBinding> tensors);

  // Builds one tile per parameter. Throws ExecutionError, beginning with the task's title, for a region that leaves
  // its tensor or does not fit its parameter, and for a tensor that has no values or cannot be written.
  void build(const pto_kernel& kernel, const pto_site& site, const pto_task& task, std::vector<pto_tile>& tiles) const;

  // The tile whose element (0, 0) is the region's first, with the strides of the region's dimensions `row` and `col`.
  pto_tile tile_at(const pto_region& region, int64_t row_stride, int64_t col_stride) const;
  const std::vector<int64_t>& strides(uint32_t tensor) const { return strides_[tensor]; }

 private:
  // What is wrong with the operand, or nothing; fills in the tile.
  std::string try_build(const pto_param& param, const pto_region& region, pto_tile& tile) const;
  bool match(const pto_param& param, const pto_region& region, int64_t& row_stride, int64_t& col_stride) const;

  std::span<const TensorBinding> tensors_;
  std::vector<std::vector<int64_t>> strides_;
  std::vector<uint64_t> keys_;  // of procedural tensors
};

}  // namespace pto
