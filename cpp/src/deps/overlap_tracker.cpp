#include "deps/overlap_tracker.h"

#include <algorithm>

namespace pto {

OverlapTracker::OverlapTracker(std::span<const TensorInfo> tensors, int64_t window)
    : window_(window), nodes_(extents_of(tensors)), written_(extents_of(tensors)) {
  for (const TensorInfo& tensor : tensors) is_read_.push_back(tensor.is_read);
}

void OverlapTracker::collect(int64_t id, std::span<const pto_region> operands, std::span<const pto_role> roles,
                             EdgeCollector& edges) {
  const int64_t oldest = std::max<int64_t>(0, id - window_ + 1);
  nodes_.sweep(oldest, [this](Handle handle) { leave(handle); });
  if (!nodes_.add_tiles(id, operands, roles, oldest, edges)) add_boxes(id, operands, roles, oldest, edges);
}

void OverlapTracker::leave(Handle handle) {
  if (nodes_[handle].writer < 0) return;
  const Box box = nodes_.index().box(handle);
  if (is_read_[box.tensor]) written_.add(box);
}

void OverlapTracker::add_boxes(int64_t id, std::span<const pto_region> operands, std::span<const pto_role> roles,
                               int64_t oldest, EdgeCollector& edges) {
  operands_.clear();
  hits_.clear();
  // All accesses of a task meet the state before it: first meet, then change.
  for (size_t i = 0; i < operands.size(); ++i) {
    Operand& operand = operands_.emplace_back(Operand{box_of(operands[i]), roles[i], AccessNodes::kNone, 0, 0});
    if (is_empty(operand.box)) {
      operands_.pop_back();
      continue;
    }
    find_hits(operands[i], operand);
    for (size_t hit = operand.first_hit; hit < operand.last_hit; ++hit) {
      nodes_.meet(hits_[hit], operand.role, oldest, edges);
    }
  }
  for (const Operand& operand : operands_) {
    if (operand.role != PTO_IN) cover(operand);
  }
  for (const Operand& operand : operands_) record(operand, id, oldest);
}

void OverlapTracker::find_hits(const pto_region& region, Operand& operand) {
  const BoxIndex& index = nodes_.index();
  operand.first_hit = hits_.size();
  if (const BoxIndex::Place place = index.tile(region); place.shape != BoxIndex::kNone) {
    operand.own = index.find_tile(place);
    if (operand.own != AccessNodes::kNone) hits_.push_back(operand.own);
  } else {
    index.find_overlapping(operand.box, hits_);
    for (size_t i = operand.first_hit; i < hits_.size(); ++i) {
      if (index.is(hits_[i], operand.box)) operand.own = hits_[i];
    }
  }
  operand.last_hit = hits_.size();
}

// A write ends the life of what it contains. Its own box keeps its node.
void OverlapTracker::cover(const Operand& operand) {
  for (size_t i = operand.first_hit; i < operand.last_hit; ++i) {
    const Handle handle = hits_[i];
    if (handle == operand.own) {
      nodes_[handle].clear();
    } else if (nodes_[handle].is_live() && nodes_.index().lies_in(handle, operand.box)) {
      nodes_.remove(handle);
    }
  }
}

void OverlapTracker::record(const Operand& operand, int64_t id, int64_t oldest) {
  Handle handle = operand.own;
  // Its node may have come or gone by another operand of the task.
  if (handle == AccessNodes::kNone || !nodes_[handle].is_live() || !nodes_.index().is(handle, operand.box)) {
    handle = nodes_.index().find(operand.box);
    if (handle == AccessNodes::kNone) handle = nodes_.add(operand.box, id);
  }
  nodes_.record(handle, operand.role, id, oldest);
}

bool OverlapTracker::find_writers(const pto_region& region, int64_t next_id, std::vector<int64_t>& writers) {
  writers.clear();
  const Box box = box_of(region);
  if (is_empty(box)) return false;
  hits_.clear();
  nodes_.index().find_overlapping(box, hits_);
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

}  // namespace pto
