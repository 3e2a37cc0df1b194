// Live writes alone: what rule 4 needs where edges do not come from shared elements.
#pragma once

#include "deps/overlap_tracker.h"

namespace pto {

// Of the tensors that the workload reads: no other write matters.
class WriteTracker final : public DependencyTracker {
 public:
  WriteTracker(std::span<const TensorInfo> tensors, int64_t window);

  // Nothing is read: there is nothing to remember.
  bool is_idle() const { return idle_; }
  // No task depends on another one.
  void collect(int64_t id, std::span<const pto_region> operands, std::span<const pto_role> roles,
               EdgeCollector& edges) override;
  bool find_writers(const pto_region& region, int64_t next_id, std::vector<int64_t>& writers) override {
    return writes_.find_writers(region, next_id, writers);
  }

 private:
  OverlapTracker writes_;
  std::vector<bool> is_read_;  // by tensor
  bool idle_;
  std::vector<pto_region> regions_;
  std::vector<pto_role> roles_;
  EdgeCollector unwanted_;
};

}  // namespace pto
