// Who accessed each box since it was last written.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "deps/box_index.h"
#include "deps/edge_collector.h"
#include "deps/id_runs.h"

namespace pto {

struct Accesses {
  static constexpr int64_t kGone = std::numeric_limits<int64_t>::max();

  int64_t writer = -1;
  int64_t last_access = kGone;  // kGone: the box has been removed
  IdRuns readers;

  bool is_live() const { return last_access != kGone; }
  void clear() {
    writer = -1;
    readers.clear();
  }
};

// The boxes of an index with their accesses. Those that no task of the window touched are stale: they can give no edge
// any more. Whenever a third as many have come as there are, the stale ones are removed, so that there are never many.
class AccessNodes {
 public:
  using Handle = BoxIndex::Handle;
  static constexpr Handle kNone = BoxIndex::kNone;

  explicit AccessNodes(std::vector<std::vector<int64_t>> extents) : index_(std::move(extents)) {}

  const BoxIndex& index() const { return index_; }
  Accesses& operator[](Handle handle) { return nodes_[handle]; }

  // A node for a box that the index does not have; task `id` is about to access it.
  Handle add(const Box& box, int64_t id) { return admit(index_.insert(box), id); }
  void remove(Handle handle);

  // The whole of a task whose operands are tiles: each meets one node alone. False where one of them is not; then the
  // task has changed nothing but collected edges, which it has in any case.
  bool add_tiles(int64_t id, std::span<const pto_region> operands, std::span<const pto_role> roles, int64_t oldest,
                 EdgeCollector& collector);

  // Adds the edges from the node's live accesses to a task with an operand that meets it.
  void meet(Handle handle, pto_role role, int64_t oldest, EdgeCollector& collector) const;
  // The task's access of the node's own box becomes part of the state.
  void record(Handle handle, pto_role role, int64_t id, int64_t oldest);

  // Now and then calls leave(handle) for the boxes that no task from `oldest` on touched, then removes them.
  template <typename Leave>
  void sweep(int64_t oldest, Leave leave) {
    if (came_ >= next_sweep_ && oldest > 0) sweep_all(oldest, leave);
  }

 private:
  template <typename Leave>
  void sweep_all(int64_t oldest, Leave leave);
  Handle admit(Handle handle, int64_t id);
  static void meet_readers(const IdRuns& readers, int64_t oldest, EdgeCollector& collector);

  BoxIndex index_;
  std::vector<Accesses> nodes_;  // by handle
  Handle size_ = 0;              // their number
  std::vector<Handle> tiles_;    // of the current task's operands
  size_t came_ = 0;              // since the last sweep
  size_t next_sweep_ = 1;        // when so many have come
};

template <typename Leave>
void AccessNodes::sweep_all(int64_t oldest, Leave leave) {
  came_ = 0;
  next_sweep_ = 1 + size_ / 3;
  const Accesses* const nodes = nodes_.data();
  for (Handle handle = 0; handle < size_; ++handle) {
    if (nodes[handle].last_access >= oldest) continue;
    leave(handle);
    remove(handle);
  }
}

inline AccessNodes::Handle AccessNodes::admit(Handle handle, int64_t id) {
  if (handle == size_) {
    nodes_.emplace_back();
    ++size_;
  }
  nodes_[handle].last_access = id;
  ++came_;
  return handle;
}

inline void AccessNodes::remove(Handle handle) {
  index_.erase(handle);
  nodes_[handle].clear();
  nodes_[handle].last_access = Accesses::kGone;
}

inline void AccessNodes::meet(Handle handle, pto_role role, int64_t oldest, EdgeCollector& collector) const {
  const Accesses& node = nodes_[handle];
  if (node.writer >= oldest) collector.add(node.writer, role == PTO_OUT ? EdgeKind::Waw : EdgeKind::Raw);
  if (role != PTO_IN && !node.readers.empty()) meet_readers(node.readers, oldest, collector);
}

// A read beside a write of the same task and box adds nothing: what meets one meets the other, with a better kind.
inline void AccessNodes::record(Handle handle, pto_role role, int64_t id, int64_t oldest) {
  Accesses& node = nodes_[handle];
  node.last_access = id;
  if (role == PTO_IN) {
    node.readers.add(id, oldest);
  } else {
    node.writer = id;
  }
}

inline bool AccessNodes::add_tiles(int64_t id, std::span<const pto_region> operands, std::span<const pto_role> roles,
                                   int64_t oldest, EdgeCollector& collector) {
  if (tiles_.size() < operands.size()) tiles_.resize(operands.size());
  Handle* const tiles = tiles_.data();
  // All accesses of a task meet the state before it: first meet, then change.
  for (size_t i = 0; i < operands.size(); ++i) {
    const BoxIndex::Place place = index_.tile(operands[i]);
    if (place.shape == kNone) return false;
    tiles[i] = index_.find_tile(place);
    if (tiles[i] == kNone) {
      tiles[i] = admit(index_.insert_tile(operands[i], place), id);
    } else {
      meet(tiles[i], roles[i], oldest, collector);
    }
  }
  for (size_t i = 0; i < operands.size(); ++i) {
    if (roles[i] != PTO_IN) nodes_[tiles[i]].clear();
    record(tiles[i], roles[i], id, oldest);
  }
  return true;
}

}  // namespace pto
