#include "deps/exact_tracker.h"

#include <algorithm>

namespace pto {

ExactTracker::ExactTracker(std::span<const TensorInfo> tensors, int64_t window)
    : window_(window), nodes_(extents_of(tensors)), writes_(tensors, window) {}

void ExactTracker::add_task(int64_t id, std::span<const pto_region> operands, std::span<const pto_role> roles,
                            std::vector<Edge>& edges) {
  writes_.add_task(id, operands, roles, edges);
  const int64_t oldest = std::max<int64_t>(0, id - window_ + 1);
  nodes_.sweep(2 * operands.size(), oldest, [](AccessNodes::Handle) {});
  operands_.clear();
  // All accesses of a task meet the state before it: first meet, then change.
  for (size_t i = 0; i < operands.size(); ++i) {
    const Box box = box_of(operands[i]);
    if (is_empty(box)) continue;
    AccessNodes::Handle node = nodes_.index().find(box);
    if (node == AccessNodes::kNone) node = nodes_.add(box);
    nodes_[node].last_access = id;
    operands_.push_back({node, roles[i]});
    meet(operands_.back(), oldest);
  }
  for (const Operand& operand : operands_) {
    if (operand.role != PTO_IN) nodes_[operand.node].clear();
  }
  for (const Operand& operand : operands_) {
    Accesses& node = nodes_[operand.node];
    if (operand.role == PTO_IN) {
      node.readers.add(id, oldest);
    } else {
      node.writer = id;
    }
  }
  collector_.take(edges);
}

void ExactTracker::meet(const Operand& operand, int64_t oldest) {
  const Accesses& node = nodes_[operand.node];
  if (node.writer >= oldest) collector_.add(node.writer, operand.role == PTO_OUT ? EdgeKind::Waw : EdgeKind::Raw);
  if (operand.role == PTO_IN) return;
  node.readers.visit_from(oldest, [this](int64_t reader) { collector_.add(reader, EdgeKind::War); });
}

}  // namespace pto
