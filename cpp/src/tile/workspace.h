// What a matmul keeps its packed operands in: blocks of kRowBlock x kDepth and kDepth x kColBlock floats.
#pragma once

#include <stdint.h>

namespace pto {

// A generated panel of kDepth rows fits into a first-level cache of 32 KiB.
inline constexpr int64_t kDepth = 128;
inline constexpr int64_t kFewRows = 16;
inline constexpr int64_t kShallow = 32;  // kDepth of a product with few rows; divides it
inline constexpr int64_t kRowBlock = 256;
inline constexpr int64_t kColBlock = 384;  // a multiple of every instruction set's panel

struct MatmulWorkspace {
  alignas(64) float a[kRowBlock * kDepth];
  alignas(64) float b[kDepth * kColBlock];
};

}  // namespace pto
