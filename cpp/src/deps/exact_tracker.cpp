#include "deps/exact_tracker.h"

#include <algorithm>

namespace pto {

ExactTracker::ExactTracker(std::span<const TensorInfo> tensors, int64_t window)
    : window_(window), nodes_(extents_of(tensors)), writes_(tensors, window) {}

void ExactTracker::collect(int64_t id, std::span<const pto_region> operands, std::span<const pto_role> roles,
                           EdgeCollector& edges) {
  if (!writes_.is_idle()) writes_.collect(id, operands, roles, edges);
  const int64_t oldest = std::max<int64_t>(0, id - window_ + 1);
  nodes_.sweep(oldest, [](AccessNodes::Handle) {});
  if (!nodes_.add_tiles(id, operands, roles, oldest, edges)) add_boxes(id, operands, roles, oldest, edges);
}

void ExactTracker::add_boxes(int64_t id, std::span<const pto_region> operands, std::span<const pto_role> roles,
                             int64_t oldest, EdgeCollector& edges) {
  operands_.clear();
  // All accesses of a task meet the state before it: first meet, then change.
  for (size_t i = 0; i < operands.size(); ++i) {
    const Box box = box_of(operands[i]);
    if (is_empty(box)) continue;
    AccessNodes::Handle node = nodes_.index().find(box);
    if (node == AccessNodes::kNone) node = nodes_.add(box, id);
    nodes_.meet(node, roles[i], oldest, edges);
    operands_.push_back({node, roles[i]});
  }
  for (const Operand& operand : operands_) {
    if (operand.role != PTO_IN) nodes_[operand.node].clear();
    nodes_.record(operand.node, operand.role, id, oldest);
  }
}

}  // namespace pto
