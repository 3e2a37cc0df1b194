// The values of a region as integers: what the orchestrator reads.
#pragma once

#include "exec/operands.h"

namespace pto {

// Writes the region's elements, row-major, to `values`. Throws ExecutionError, naming tensor, element and value, for
// one that is not an integer of 64 bits, and for a tensor without values. The region must lie in its tensor.
void widen_region(const TileBuilder& tiles, const TensorBinding& tensor, const pto_region& region, int64_t* values);

}  // namespace pto
