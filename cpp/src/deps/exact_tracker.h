// Dependencies between accesses of equal regions: `infer_tensor_map_exact`.
#pragma once

#include <unordered_map>

#include "deps/box.h"
#include "deps/edge_collector.h"
#include "deps/id_runs.h"
#include "deps/write_tracker.h"

namespace pto {

// A hash table of boxes. One that no task of the last `window` ones touched is forgotten: it can give no edge any more.
class ExactTracker final : public DependencyTracker {
 public:
  ExactTracker(std::span<const TensorInfo> tensors, int64_t window) : window_(window), writes_(tensors, window) {}
  ExactTracker(const ExactTracker&) = delete;
  ExactTracker& operator=(const ExactTracker&) = delete;

  void add_task(int64_t id, std::span<const pto_region> operands, std::span<const pto_role> roles,
                std::vector<Edge>& edges) override;
  bool find_writers(const pto_region& region, int64_t next_id, std::vector<int64_t>& writers) override {
    return writes_.find_writers(region, next_id, writers);
  }

  size_t live_boxes() const { return table_.size(); }

 private:
  struct Hash {
    size_t operator()(const Box& box) const;
  };
  struct Equal {
    bool operator()(const Box& a, const Box& b) const;
  };
  struct Accesses {
    int64_t writer = -1;
    IdRuns readers;
    int64_t last_access = 0;
    const Box* box = nullptr;
    Accesses *older = nullptr, *newer = nullptr;
  };
  struct Operand {
    Box box;
    pto_role role;
    Accesses* node;
  };

  void meet(const Operand& operand, int64_t oldest);
  void record(Operand& operand, int64_t id, int64_t oldest);
  void forget_older_than(int64_t oldest);
  void unlink(Accesses& node);
  void append_newest(Accesses& node);

  int64_t window_;
  std::unordered_map<Box, Accesses, Hash, Equal> table_;  // its order is never used
  Accesses *oldest_ = nullptr, *newest_ = nullptr;
  std::vector<Operand> operands_;
  EdgeCollector collector_;
  WriteTracker writes_;
};

}  // namespace pto
