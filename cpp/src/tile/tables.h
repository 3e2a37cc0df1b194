// One table of routines per instruction set; all give the same bits.
#pragma once

#include "pto/abi.h"

namespace pto {

extern const pto_tile_ops kBaselineTable;
#if defined(__x86_64__)
extern const pto_tile_ops kX86V3Table;
extern const pto_tile_ops kX86V4Table;
#endif

}  // namespace pto
