#include "deps/exact_tracker.h"

namespace pto {

size_t ExactTracker::Hash::operator()(const Box& box) const {
  uint64_t hash = box.tensor;
  const auto mix = [&hash](int64_t value) {
    hash = (hash ^ static_cast<uint64_t>(value)) * 0xD6E8FEB86659FD93ull;
    hash ^= hash >> 32;
  };
  for (uint32_t d = 0; d < box.rank; ++d) {
    mix(box.begin[d]);
    mix(box.end[d]);
  }
  return hash;
}

bool ExactTracker::Equal::operator()(const Box& a, const Box& b) const {
  return a.tensor == b.tensor && a.rank == b.rank && same_elements(a, b);
}

void ExactTracker::add_task(int64_t id, std::span<const pto_region> operands, std::span<const pto_role> roles,
                            std::vector<Edge>& edges) {
  writes_.add_task(id, operands, roles, edges);
  const int64_t oldest = std::max<int64_t>(0, id - window_ + 1);
  forget_older_than(oldest);
  operands_.clear();
  // All accesses of a task meet the state before it: first meet, then change.
  for (size_t i = 0; i < operands.size(); ++i) {
    Operand operand{box_of(operands[i]), roles[i], nullptr};
    if (is_empty(operand.box)) continue;
    const auto at = table_.find(operand.box);
    if (at != table_.end()) operand.node = &at->second;
    meet(operand, oldest);
    operands_.push_back(operand);
  }
  for (const Operand& operand : operands_) {
    if (operand.role == PTO_IN || operand.node == nullptr) continue;
    operand.node->writer = -1;
    operand.node->readers.clear();
  }
  for (Operand& operand : operands_) record(operand, id, oldest);
  collector_.take(edges);
}

void ExactTracker::meet(const Operand& operand, int64_t oldest) {
  if (operand.node == nullptr) return;
  const int64_t writer = operand.node->writer;
  if (writer >= oldest) collector_.add(writer, operand.role == PTO_OUT ? EdgeKind::Waw : EdgeKind::Raw);
  if (operand.role == PTO_IN) return;
  operand.node->readers.visit_from(oldest, [this](int64_t reader) { collector_.add(reader, EdgeKind::War); });
}

void ExactTracker::record(Operand& operand, int64_t id, int64_t oldest) {
  if (operand.node == nullptr) {
    const auto [at, added] = table_.try_emplace(operand.box);
    operand.node = &at->second;
    if (added) {
      operand.node->box = &at->first;
      append_newest(*operand.node);
    }
  }
  if (operand.node != newest_) {
    unlink(*operand.node);
    append_newest(*operand.node);
  }
  operand.node->last_access = id;
  if (operand.role == PTO_IN) {
    operand.node->readers.add(id, oldest);
  } else {
    operand.node->writer = id;
  }
}

void ExactTracker::forget_older_than(int64_t oldest) {
  while (oldest_ != nullptr && oldest_->last_access < oldest) {
    Accesses& node = *oldest_;
    unlink(node);
    const Box box = *node.box;
    table_.erase(box);
  }
}

void ExactTracker::append_newest(Accesses& node) {
  node.older = newest_;
  node.newer = nullptr;
  (newest_ == nullptr ? oldest_ : newest_->newer) = &node;
  newest_ = &node;
}

void ExactTracker::unlink(Accesses& node) {
  (node.older == nullptr ? oldest_ : node.older->newer) = node.newer;
  (node.newer == nullptr ? newest_ : node.newer->older) = node.older;
}

}  // namespace pto
