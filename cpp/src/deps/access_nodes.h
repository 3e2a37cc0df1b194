// Who accessed each box since it was last written.
#pragma once

#include <cstdint>
#include <vector>

#include "deps/box_index.h"
#include "deps/id_runs.h"

namespace pto {

struct Accesses {
  int64_t writer = -1;
  int64_t last_access = 0;
  IdRuns readers;
  bool live = false;

  void clear() {
    writer = -1;
    readers.clear();
  }
};

// The boxes of an index with their accesses. Those that no task of the window touched are stale: they can give no edge
// any more. Each task sweeps over a few nodes and removes the stale ones, so that there are never many.
class AccessNodes {
 public:
  using Handle = BoxIndex::Handle;
  static constexpr Handle kNone = BoxIndex::kNone;

  explicit AccessNodes(std::vector<std::vector<int64_t>> extents) : index_(std::move(extents)) {}

  const BoxIndex& index() const { return index_; }
  Accesses& operator[](Handle handle) { return nodes_[handle]; }

  Handle add(const Box& box) {
    const Handle handle = index_.insert(box);
    if (handle >= nodes_.size()) nodes_.resize(handle + 1);
    nodes_[handle].live = true;
    return handle;
  }

  void remove(Handle handle) {
    index_.erase(handle);
    nodes_[handle].clear();
    nodes_[handle].live = false;
  }

  // Looks at the next `count` nodes. Calls leave(handle) for those that no task from `oldest` on touched, then removes
  // them.
  template <typename Leave>
  void sweep(size_t count, int64_t oldest, Leave leave) {
    if (oldest <= 0) return;
    for (size_t i = 0; i < count && i < nodes_.size(); ++i) {
      if (hand_ >= nodes_.size()) hand_ = 0;
      const auto handle = static_cast<Handle>(hand_++);
      const Accesses& node = nodes_[handle];
      if (!node.live || node.last_access >= oldest) continue;
      leave(handle);
      remove(handle);
    }
  }

 private:
  BoxIndex index_;
  std::vector<Accesses> nodes_;  // by handle
  size_t hand_ = 0;
};

}  // namespace pto
