// A matmul on a cube core: blocked for l0a, l0b, l0c and l1, timed on the pipes between them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "cost/core.h"
#include "cost/pipeline.h"

namespace pto::cost {

// m x k times k x n.
struct Matmul {
  int64_t m = 0, k = 0, n = 0;
  int64_t element_bytes = 0;  // of the operands; at most 4
  int64_t out_bytes = 0;      // that leave l0c in one trip
  int64_t trips = 1;
};

// One base block goes through l0a, l0b and the cube at a time; l0c holds rows x columns accumulators.
struct BaseBlock {
  int64_t rows = 0, depth = 0, columns = 0;
};

struct MatmulStage {
  std::array<Phase, 4> phases;  // gm -> l1, l1 -> l0, cube, l0c -> gm
  BaseBlock block;
  int64_t left_bytes = 0, right_bytes = 0;              // that gm -> l1 moves, with re-reads, in one trip
  int64_t first_left_bytes = 0, first_right_bytes = 0;  // of these, what the first base block needs
  int64_t l0_bytes = 0;                                 // that l1 -> l0 moves in one trip
  Ticks multiplying = 0;                                // of the cube, without waiting for l0c, in all trips
  int64_t l1 = 0, l0a = 0, l0b = 0, l0c = 0;            // bytes of the buffers that it takes
};

// The fastest blocking; nothing where the buffers do not hold the smallest block.
std::optional<MatmulStage> plan_matmul(const CubeCore& core, const Matmul& matmul);

}  // namespace pto::cost
