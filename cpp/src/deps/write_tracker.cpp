#include "deps/write_tracker.h"

#include <algorithm>

namespace pto {

WriteTracker::WriteTracker(std::span<const TensorInfo> tensors, int64_t window) : writes_(tensors, window) {
  const auto is_read = [](const TensorInfo& tensor) { return tensor.is_read; };
  if (std::none_of(tensors.begin(), tensors.end(), is_read)) return;
  for (const TensorInfo& tensor : tensors) is_read_.push_back(tensor.is_read);
}

void WriteTracker::add_task(int64_t id, std::span<const pto_region> operands, std::span<const pto_role> roles,
                            std::vector<Edge>& edges) {
  edges.clear();
  if (is_idle()) return;
  regions_.clear();
  for (size_t i = 0; i < operands.size(); ++i) {
    if (roles[i] != PTO_IN && is_read_[operands[i].tensor]) regions_.push_back(operands[i]);
  }
  roles_.assign(regions_.size(), PTO_OUT);
  writes_.add_task(id, regions_, roles_, edges);
  edges.clear();
}

}  // namespace pto
