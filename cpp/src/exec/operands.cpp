#include "exec/operands.h"

#include "exec/describe.h"
#include "pto/dtype.h"
#include "pto/error.h"
#include "pto/tile_ops.h"

namespace pto {
namespace {

// Says how the region leaves the tensor, or nothing.
std::string outside(const pto_region& region, const pto_tensor& tensor) {
  if (region.rank != tensor.rank) {
    return "has " + std::to_string(region.rank) + " dimensions, tensor '" + tensor.name + "' has " +
           std::to_string(tensor.rank);
  }
  for (uint32_t d = 0; d < region.rank; ++d) {
    const int64_t offset = region.offset[d], extent = region.extent[d], size = tensor.extent[d];
    if (extent >= 0 && offset >= 0 && offset <= size && extent <= size - offset) continue;
    const int64_t index = offset < 0 || offset >= size ? offset : offset + extent - 1;
    return "leaves tensor '" + std::string(tensor.name) + "': index " + std::to_string(index) + " of axis " +
           std::to_string(d) + ", which has extent " + std::to_string(size) + " (region " + box_text(region) + ")";
  }
  return "";
}

bool is_procedural(const pto_tensor& tensor) { return tensor.source == PTO_SOURCE_RANDOM; }

// Why the host cannot compute with the tensor's dtype, or nothing.
std::string unsupported(const TensorBinding& tensor) {
  const DtypeInfo& dtype = dtype_info(tensor.info.dtype);
  if (!tensor.data && is_procedural(tensor.info) && dtype.integer) {
    return "is procedural: expected floats, found " + std::string(dtype.name);
  }
  return "";
}

}  // namespace

std::vector<int64_t> row_major_strides(const pto_tensor& tensor) {
  std::vector<int64_t> strides(tensor.rank, 1);
  for (uint32_t d = tensor.rank; d-- > 1;) strides[d - 1] = strides[d] * tensor.extent[d];
  return strides;
}

void check_inside(const pto_region& region, const pto_tensor& tensor, const std::string& what) {
  const std::string problem = outside(region, tensor);
  if (!problem.empty()) throw ExecutionError(what + " " + problem);
}

TileBuilder::TileBuilder(std::span<const TensorBinding> tensors) : tensors_(tensors) {
  for (const TensorBinding& tensor : tensors) {
    strides_.push_back(row_major_strides(tensor.info));
    keys_.push_back(is_procedural(tensor.info) ? random_key(tensor.info.seed, tensor.info.name) : 0);
  }
}

void TileBuilder::build(const pto_kernel& kernel, const pto_site& site, const pto_task& task,
                        std::vector<pto_tile>& tiles) const {
  tiles.resize(kernel.param_count);
  for (uint32_t i = 0; i < kernel.param_count; ++i) {
    const std::string problem = try_build(kernel.params[i], task.operands[i], tiles[i]);
    if (problem.empty()) continue;
    throw ExecutionError(task_title(kernel, site, task.axes) + ": parameter '" + kernel.params[i].name + "' " +
                         problem);
  }
}

std::string TileBuilder::try_build(const pto_param& param, const pto_region& region, pto_tile& tile) const {
  const TensorBinding& tensor = tensors_[region.tensor];
  const auto name = [&tensor] { return std::string("tensor '") + tensor.info.name + "'"; };
  std::string problem = outside(region, tensor.info);
  if (!problem.empty()) return problem;
  if (param.dtype != tensor.info.dtype) {
    return std::string("is ") + dtype_info(param.dtype).name + ", " + name() + " is " +
           dtype_info(tensor.info.dtype).name;
  }
  int64_t row_stride = 0, col_stride = 0;
  if (!match(param, region, row_stride, col_stride)) {
    return "is " + std::to_string(param.rows) + " x " + std::to_string(param.cols) + ", which " + name() +
           box_text(region) + " is not, unit axes aside";
  }
  tile = tile_at(region, row_stride, col_stride);
  if (tensor.data) return "";
  problem = unsupported(tensor);
  if (!problem.empty()) return "cannot be used: " + name() + " " + problem;
  if (!is_procedural(tensor.info)) return "needs values, " + name() + " has none: give it data";
  return param.role == PTO_IN ? "" : "is written, " + name() + " is procedural and cannot be";
}

// The region's extents other than 1 are those of the parameter, in order.
bool TileBuilder::match(const pto_param& param, const pto_region& region, int64_t& row_stride,
                        int64_t& col_stride) const {
  const auto& strides = strides_[region.tensor];
  // Neighbours in memory where there is just one row or column.
  col_stride = 1;
  row_stride = param.cols;
  bool rows_left = param.rows != 1, cols_left = param.cols != 1;
  for (uint32_t d = 0; d < region.rank; ++d) {
    const int64_t extent = region.extent[d];
    if (extent == 1) continue;
    if (rows_left && extent == param.rows) {
      row_stride = strides[d];
      rows_left = false;
    } else if (!rows_left && cols_left && extent == param.cols) {
      col_stride = strides[d];
      cols_left = false;
    } else {
      return false;
    }
  }
  return !rows_left && !cols_left;
}

pto_tile TileBuilder::tile_at(const pto_region& region, int64_t row_stride, int64_t col_stride) const {
  const TensorBinding& tensor = tensors_[region.tensor];
  uint64_t first = 0;
  for (uint32_t d = 0; d < region.rank; ++d) {
    first += static_cast<uint64_t>(region.offset[d] * strides_[region.tensor][d]);
  }
  const auto bytes = static_cast<uint64_t>(dtype_info(tensor.info.dtype).bytes);
  void* data = tensor.data ? static_cast<char*>(tensor.data) + first * bytes : nullptr;
  return {data, row_stride, col_stride, first, keys_[region.tensor], static_cast<float>(tensor.info.parameter)};
}

}  // namespace pto
