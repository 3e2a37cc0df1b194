// Routines that choose elements; the same code on every instruction set. Contracts: pto_tile_ops.
#pragma once

#include <stdint.h>

namespace pto {

int64_t topk(int64_t rows, int64_t cols, int64_t k, const float* in, float* values, int32_t* indices);
int64_t gather(int64_t rows, int64_t cols, int64_t out_cols, const float* in, const int32_t* indices, float* out);

}  // namespace pto
