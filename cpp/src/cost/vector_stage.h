// Vector work that runs through one core in blocks of rows: load, compute, store.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "cost/core.h"
#include "cost/pipeline.h"
#include "cost/vector_ops.h"

namespace pto::cost {

// A matrix on its way between global memory and ub.
struct Transfer {
  int64_t rows = 0, cols = 0;
  int64_t element_bytes = 0;
  int64_t bytes = 0;  // moved in one trip
  int64_t trips = 1;
};

struct Compute {
  const VectorOp* op = nullptr;
  int64_t rows = 0, cols = 0;
  int64_t element_bytes = 0;
  int64_t trips = 1;
};

struct VectorWork {
  std::vector<Transfer> loads;
  std::vector<Compute> ops;
  std::vector<Transfer> stores;

  bool empty() const { return loads.empty() && ops.empty() && stores.empty(); }
  // The work's height. What has fewer rows is done once: loaded and computed before the first block, stored last.
  int64_t rows() const;
  int64_t columns() const;
};

struct VectorStage {
  std::array<Phase, 3> phases;  // load, vector, store
  int64_t first_bytes = 0;      // that the first block loads
  int64_t loaded_bytes = 0;     // in all trips, with what passes once more
  int64_t stored_bytes = 0;
  int64_t ub = 0;  // bytes that its blocks take
};

// The fastest way to cut the work into blocks that fit into ub; nothing where even the smallest block does not.
std::optional<VectorStage> plan_vector(const VectorCore& core, const VectorWork& work);

// The bytes of ub that the smallest blocks take, for messages.
int64_t ub_bytes(const VectorCore& core, const VectorWork& work);

// What one of `cores` cores does when they share the rows.
VectorWork share(const VectorWork& work, int64_t cores);

}  // namespace pto::cost
