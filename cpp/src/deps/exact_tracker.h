// Dependencies between accesses of equal regions: `infer_tensor_map_exact`.
#pragma once

#include "deps/access_nodes.h"
#include "deps/write_tracker.h"

namespace pto {

class ExactTracker final : public DependencyTracker {
 public:
  ExactTracker(std::span<const TensorInfo> tensors, int64_t window);

  void collect(int64_t id, std::span<const pto_region> operands, std::span<const pto_role> roles,
               EdgeCollector& edges) override;
  bool find_writers(const pto_region& region, int64_t next_id, std::vector<int64_t>& writers) override {
    return writes_.find_writers(region, next_id, writers);
  }

  // Bounded by the accesses of a window.
  size_t live_boxes() const { return nodes_.index().size(); }

 private:
  // One operand of the current task that is not empty.
  struct Operand {
    AccessNodes::Handle node;
    pto_role role;
  };

  // Of a task with operands that are no tiles.
  void add_boxes(int64_t id, std::span<const pto_region> operands, std::span<const pto_role> roles, int64_t oldest,
                 EdgeCollector& edges);

  int64_t window_;
  AccessNodes nodes_;
  std::vector<Operand> operands_;
  WriteTracker writes_;
};

}  // namespace pto
