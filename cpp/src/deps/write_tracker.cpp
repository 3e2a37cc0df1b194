#include "deps/write_tracker.h"

#include <algorithm>

namespace pto {

WriteTracker::WriteTracker(std::span<const TensorInfo> tensors, int64_t window) : writes_(tensors, window) {
  for (const TensorInfo& tensor : tensors) is_read_.push_back(tensor.is_read);
  idle_ = std::find(is_read_.begin(), is_read_.end(), true) == is_read_.end();
}

void WriteTracker::collect(int64_t id, std::span<const pto_region> operands, std::span<const pto_role> roles,
                           EdgeCollector&) {
  if (is_idle()) return;
  regions_.clear();
  for (size_t i = 0; i < operands.size(); ++i) {
    if (roles[i] != PTO_IN && is_read_[operands[i].tensor]) regions_.push_back(operands[i]);
  }
  roles_.assign(regions_.size(), PTO_OUT);
  writes_.collect(id, regions_, roles_, unwanted_);
  unwanted_.take();
}

}  // namespace pto
