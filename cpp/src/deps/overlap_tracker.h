// Dependencies by shared elements: `infer_bytes_overlap`.
#pragma once

#include "deps/access_nodes.h"
#include "deps/dependency_tracker.h"
#include "deps/written_set.h"
#include "pto/source.h"

namespace pto {

// Accesses of the same box share a node: one live write at most (the next one covers it), and the live reads.
// Of the writes in nodes that leave the window only the fact that something is written there still matters, to rule 4,
// and only in tensors that the workload reads.
class OverlapTracker final : public DependencyTracker {
 public:
  OverlapTracker(std::span<const TensorInfo> tensors, int64_t window);

  void collect(int64_t id, std::span<const pto_region> operands, std::span<const pto_role> roles,
               EdgeCollector& edges) override;
  bool find_writers(const pto_region& region, int64_t next_id, std::vector<int64_t>& writers) override;

  // Boxes that the tracker holds; bounded by the accesses of a window plus the fragments of what was written.
  size_t live_boxes() const { return nodes_.index().size() + written_.size(); }

 private:
  using Handle = AccessNodes::Handle;

  // One operand of the current task that is not empty.
  struct Operand {
    Box box;
    pto_role role;
    Handle own;                  // the node of this very box, or kNone
    size_t first_hit, last_hit;  // in hits_: the nodes that it meets
  };

  // Of a task with operands that are no tiles.
  void add_boxes(int64_t id, std::span<const pto_region> operands, std::span<const pto_role> roles, int64_t oldest,
                 EdgeCollector& edges);
  void find_hits(const pto_region& region, Operand& operand);
  void cover(const Operand& operand);
  void record(const Operand& operand, int64_t id, int64_t oldest);
  void leave(Handle handle);

  int64_t window_;
  std::vector<bool> is_read_;  // by tensor
  AccessNodes nodes_;
  WrittenSet written_;
  std::vector<Operand> operands_;
  std::vector<Handle> hits_;
};

}  // namespace pto
