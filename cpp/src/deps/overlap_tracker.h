// Dependencies by shared elements: `infer_bytes_overlap`.
#pragma once

#include "deps/box_index.h"
#include "deps/dependency_tracker.h"
#include "deps/edge_collector.h"
#include "deps/id_runs.h"
#include "deps/written_set.h"
#include "pto/source.h"

namespace pto {

// Accesses of the same box share a node: one live write at most (the next one covers it), and the live reads.
// Nodes that no task of the last `window` ones touched leave: their reads can give no edge any more, and of their
// writes only the fact that something is written there still matters, to rule 4.
class OverlapTracker final : public DependencyTracker {
 public:
  OverlapTracker(std::span<const TensorInfo> tensors, int64_t window);

  void add_task(int64_t id, std::span<const pto_region> operands, std::span<const pto_role> roles,
                std::vector<Edge>& edges) override;
  bool find_writers(const pto_region& region, int64_t next_id, std::vector<int64_t>& writers) override;

  // Boxes that the tracker holds; bounded by the accesses of a window plus the fragments of what was written.
  size_t live_boxes() const { return index_.size() + written_.size(); }

 private:
  using Handle = BoxIndex::Handle;

  struct Accesses {
    int64_t writer = -1;
    IdRuns readers;
    int64_t last_access = 0;
    Handle older = BoxIndex::kNone, newer = BoxIndex::kNone;
    bool live = false;
  };
  // One operand of the current task that is not empty.
  struct Operand {
    Box box;
    pto_role role;
    size_t first_hit, last_hit;  // in hits_
  };

  void forget_older_than(int64_t oldest);
  void meet(const Operand& operand, int64_t oldest);
  void cover(const Operand& operand);
  void record(const Operand& operand, int64_t id, int64_t oldest);
  Handle add_node(const Box& box);
  void remove_node(Handle handle);
  void append_newest(Handle handle);
  void unlink(Handle handle);

  int64_t window_;
  BoxIndex index_;
  WrittenSet written_;
  std::vector<Accesses> nodes_;  // by handle
  Handle oldest_ = BoxIndex::kNone, newest_ = BoxIndex::kNone;
  std::vector<Operand> operands_;
  std::vector<Handle> hits_;
  EdgeCollector collector_;
};

}  // namespace pto
