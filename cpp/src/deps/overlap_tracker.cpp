#include "deps/overlap_tracker.h"

#include <algorithm>

namespace pto {
namespace {

std::vector<std::vector<int64_t>> extents_of(std::span<const TensorInfo> tensors) {
  std::vector<std::vector<int64_t>> extents;
  for (const TensorInfo& tensor : tensors) extents.push_back(tensor.extent);
  return extents;
}

}  // namespace

OverlapTracker::OverlapTracker(std::span<const TensorInfo> tensors, int64_t window)
    : window_(window), index_(extents_of(tensors)), written_(extents_of(tensors)) {}

void OverlapTracker::add_task(int64_t id, std::span<const pto_region> operands, std::span<const pto_role> roles,
                              std::vector<Edge>& edges) {
  const int64_t oldest = std::max<int64_t>(0, id - window_ + 1);
  forget_older_than(oldest);
  operands_.clear();
  hits_.clear();
  // All accesses of a task meet the state before it: first meet, then change.
  for (size_t i = 0; i < operands.size(); ++i) {
    Operand operand{box_of(operands[i]), roles[i], hits_.size(), 0};
    if (is_empty(operand.box)) continue;
    index_.find_overlapping(operand.box, hits_);
    operand.last_hit = hits_.size();
    meet(operand, oldest);
    operands_.push_back(operand);
  }
  for (const Operand& operand : operands_) {
    if (operand.role != PTO_IN) cover(operand);
  }
  for (const Operand& operand : operands_) record(operand, id, oldest);
  collector_.take(edges);
}

void OverlapTracker::meet(const Operand& operand, int64_t oldest) {
  for (size_t i = operand.first_hit; i < operand.last_hit; ++i) {
    const Accesses& node = nodes_[hits_[i]];
    if (node.writer >= oldest) collector_.add(node.writer, operand.role == PTO_OUT ? EdgeKind::Waw : EdgeKind::Raw);
    if (operand.role == PTO_IN) continue;
    node.readers.visit_from(oldest, [this](int64_t reader) { collector_.add(reader, EdgeKind::War); });
  }
}

// A write ends the life of what it contains. Its own box keeps its node.
void OverlapTracker::cover(const Operand& operand) {
  for (size_t i = operand.first_hit; i < operand.last_hit; ++i) {
    const Handle handle = hits_[i];
    Accesses& node = nodes_[handle];
    if (!node.live || !contains(operand.box, index_.box(handle))) continue;
    if (same_elements(operand.box, index_.box(handle))) {
      node.writer = -1;
      node.readers.clear();
    } else {
      remove_node(handle);
    }
  }
}

void OverlapTracker::record(const Operand& operand, int64_t id, int64_t oldest) {
  Handle handle = index_.find(operand.box);
  if (handle == BoxIndex::kNone) {
    handle = add_node(operand.box);
  } else if (handle != newest_) {
    unlink(handle);
    append_newest(handle);
  }
  Accesses& node = nodes_[handle];
  node.last_access = id;
  // A read beside a write of the same task and box adds nothing: what meets one meets the other, with a better kind.
  if (operand.role == PTO_IN) {
    node.readers.add(id, oldest);
  } else {
    node.writer = id;
  }
}

bool OverlapTracker::find_writers(const pto_region& region, int64_t next_id, std::vector<int64_t>& writers) {
  writers.clear();
  const Box box = box_of(region);
  if (is_empty(box)) return false;
  hits_.clear();
  index_.find_overlapping(box, hits_);
  bool met = false;
  for (const Handle handle : hits_) {
    const int64_t writer = nodes_[handle].writer;
    if (writer < 0) continue;
    met = true;
    if (writer >= next_id - window_) writers.push_back(writer);
  }
  std::sort(writers.begin(), writers.end());
  writers.erase(std::unique(writers.begin(), writers.end()), writers.end());
  return met || written_.meets(box);
}

void OverlapTracker::forget_older_than(int64_t oldest) {
  while (oldest_ != BoxIndex::kNone && nodes_[oldest_].last_access < oldest) {
    const Handle handle = oldest_;
    if (nodes_[handle].writer >= 0) written_.add(index_.box(handle));
    remove_node(handle);
  }
}

OverlapTracker::Handle OverlapTracker::add_node(const Box& box) {
  const Handle handle = index_.insert(box);
  if (handle >= nodes_.size()) nodes_.resize(handle + 1);
  nodes_[handle].live = true;
  append_newest(handle);
  return handle;
}

void OverlapTracker::remove_node(Handle handle) {
  unlink(handle);
  index_.erase(handle);
  Accesses& node = nodes_[handle];
  node.writer = -1;
  node.readers.clear();
  node.live = false;
}

void OverlapTracker::append_newest(Handle handle) {
  Accesses& node = nodes_[handle];
  node.older = newest_;
  node.newer = BoxIndex::kNone;
  (newest_ == BoxIndex::kNone ? oldest_ : nodes_[newest_].newer) = handle;
  newest_ = handle;
}

void OverlapTracker::unlink(Handle handle) {
  const Accesses& node = nodes_[handle];
  (node.older == BoxIndex::kNone ? oldest_ : nodes_[node.older].newer) = node.newer;
  (node.newer == BoxIndex::kNone ? newest_ : nodes_[node.newer].older) = node.older;
}

}  // namespace pto
