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
// any more. For each box that comes a few nodes are looked at and the stale ones removed, so that there are never many.
class AccessNodes {
 public:
  using Handle = BoxIndex::Handle;
  static constexpr Handle kNone = BoxIndex::kNone;

  explicit AccessNodes(std::vector<std::vector<int64_t>> extents) : index_(std::move(extents)) {}

  const BoxIndex& index() const { return index_; }
  Accesses& operator[](Handle handle) { return nodes_[handle]; }

  // A node for a box that a task of the window accesses.
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

  // Looks at the next nodes, as many as the boxes that came since ask for. Calls leave(handle) for those that no task
  // from `oldest` on touched, then removes them.
  template <typename Leave>
  void sweep(int64_t oldest, Leave leave) {
    for (; due_ > 0; --due_) {
      if (hand_ >= nodes_.size()) hand_ = 0;
      const auto handle = static_cast<Handle>(hand_++);
      if (nodes_[handle].last_access >= oldest) continue;
      leave(handle);
      remove(handle);
    }
  }

 private:
  // More than one: the hand gains on the boxes that come.
  static constexpr size_t kSwept = 3;

  Handle admit(Handle handle, int64_t id);

  BoxIndex index_;
  std::vector<Accesses> nodes_;  // by handle
  std::vector<Handle> tiles_;    // of the current task's operands
  size_t hand_ = 0;
  size_t due_ = 0;  // nodes to look at
};

inline AccessNodes::Handle AccessNodes::admit(Handle handle, int64_t id) {
  if (handle >= nodes_.size()) nodes_.emplace_back();
  nodes_[handle].last_access = id;
  due_ += kSwept;
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
  if (role == PTO_IN) return;
  node.readers.visit_from(oldest, [&collector](int64_t reader) { collector.add(reader, EdgeKind::War); });
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

}  // namespace pto
