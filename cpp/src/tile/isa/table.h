// Defines the table of one instruction set. The name is the including file's: PTO_TABLE.
#pragma once

#include "tile/isa/matmul.h"
#include "tile/isa/reduce.h"
#include "tile/isa/transfer.h"
#include "tile/tables.h"

namespace pto {

static_assert(kColBlock % kLanes == 0 && kGeneratedCols % kLanes == 0 && kGeneratedCols <= kColBlock);
static_assert(kDepth % kLanes == 0 && kGeneratedDepth <= kDepth);

const pto_tile_ops PTO_TABLE = {load, store, matmul, row_reduce};

}  // namespace pto
