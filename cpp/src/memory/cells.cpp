#include "memory/cells.h"

#include <algorithm>

namespace pto {
namespace {

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

bool is_empty(const pto_region& region) {
  return std::any_of(region.extent, region.extent + region.rank, [](int64_t extent) { return extent == 0; });
}

// ceil(bytes * moved / of)
int64_t share(int64_t bytes, int64_t moved, int64_t of) {
  return static_cast<int64_t>((static_cast<__int128>(bytes) * moved + of - 1) / of);
}

}  // namespace

CellGrid::CellGrid(const TensorInfo& tensor, const pto_region& region, uint32_t first_cell)
    : rank_(region.rank), first_cell_(first_cell) {
  int64_t count = 1;
  for (uint32_t i = 0; i < rank_; ++i) {
    const int64_t extent = std::max<int64_t>(tensor.extent[i], 1);
    const int64_t cell = std::min(region.extent[i], extent);
    axes_.at(i) = {extent, cell, ceil_div(extent, cell)};
  }
  const auto cells = [this] {
    double product = 1;
    for (uint32_t i = 0; i < rank_; ++i) product *= static_cast<double>(axes_.at(i).count);
    return product;
  };
  for (uint32_t i = rank_; i > 0; --i) {
    Axis& axis = axes_.at(i - 1);
    while (cells() > kMostCells && axis.count > 1) {
      axis.cell *= 2;
      axis.count = ceil_div(axis.extent, axis.cell);
    }
  }
  for (uint32_t i = 0; i < rank_; ++i) count *= axes_.at(i).count;
  count_ = static_cast<uint32_t>(count);
}

template <typename Visit>
void CellGrid::meet(const pto_region& region, Visit visit) const {
  meet_axis(region, 0, 0, 1, 1, visit);
}

template <typename Visit>
void CellGrid::meet_axis(const pto_region& region, uint32_t axis, int64_t cell, int64_t part, int64_t size,
                         Visit visit) const {
  if (axis == rank_) {
    visit(first_cell_ + static_cast<uint32_t>(cell), part, size);
    return;
  }
  const Axis& a = axes_.at(axis);
  const int64_t begin = region.offset[axis];
  const int64_t end = std::min(begin + region.extent[axis], a.extent);
  for (int64_t at = begin / a.cell; at * a.cell < end; ++at) {
    const int64_t low = at * a.cell, high = std::min(low + a.cell, a.extent);
    const int64_t met = std::min(end, high) - std::max(begin, low);
    meet_axis(region, axis + 1, cell * a.count + at, part * met, size * (high - low), visit);
  }
}

Cells::Cells(std::span<const KernelInfo> kernels, std::span<const TensorInfo> tensors)
    : kernels_(kernels), tensors_(tensors.begin(), tensors.end()), grids_(tensors.size()) {}

CellGrid& Cells::grid(const pto_region& region) {
  CellGrid& grid = grids_[region.tensor];
  if (!grid.is_set()) {
    grid = CellGrid(tensors_[region.tensor], region, cells_);
    cells_ += grid.count();
  }
  return grid;
}

int64_t Cells::bytes(const pto_region& region) const {
  int64_t bytes = tensors_[region.tensor].element_bytes;
  for (uint32_t i = 0; i < region.rank; ++i) bytes *= region.extent[i];
  return bytes;
}

void Cells::touch(const pto_region& region, bool writes, int64_t moved, int64_t of) {
  const int64_t element = tensors_[region.tensor].element_bytes;
  grid(region).meet(region, [&](uint32_t cell, int64_t part, int64_t size) {
    const int64_t bytes = moved < of ? share(part * element, moved, of) : part * element;
    touches_.push_back({cell, writes, bytes, size * element});
  });
}

const std::vector<Touch>& Cells::touches(const pto_task& task, const KernelCost& cost, std::span<const int64_t> loads) {
  const KernelInfo& kernel = kernels_[task.kernel];
  touches_.clear();
  if (cost.bytes == 0) return touches_;
  for (size_t i = 0; i < kernel.roles.size(); ++i) {
    const pto_region& region = task.operands[i];
    if (is_empty(region)) continue;
    const int64_t all = bytes(region);
    // A task that loads less than the region holds takes that share of each cell.
    if (kernel.roles[i] != PTO_OUT) touch(region, false, loads.empty() ? all : std::min(loads[i], all), all);
    if (kernel.roles[i] != PTO_IN) touch(region, true, all, all);
  }
  return touches_;
}

}  // namespace pto
