// What a matmul keeps its packed operands in: blocks of kRowBlock x kDepth and kDepth x kColBlock floats.
#pragma once

#include <stdint.h>

namespace pto {

// Both blocks stay in a second-level cache of 1 MiB; of a generated right operand, what is in use stays in a
// first-level one of 32 KiB. Multiples of every vector.
inline constexpr int64_t kDepth = 512;
inline constexpr int64_t kRowBlock = 256;
inline constexpr int64_t kColBlock = 192;
inline constexpr int64_t kGeneratedDepth = 128;
inline constexpr int64_t kGeneratedCols = 48;
// A right operand that fewer tiles of rows need, or floats that are fewer, are read where they lie.
inline constexpr int64_t kFewTiles = 8;
inline constexpr int64_t kFewElements = 65536;
// One of more elements, that a single tile of rows needs, comes from memory: so many of its rows at once, in long
// strips.
inline constexpr int64_t kManyElements = 1 << 22;
inline constexpr int64_t kStreamedDepth = 16;

struct MatmulWorkspace {
  alignas(64) float a[kRowBlock * kDepth];
  alignas(64) float b[kDepth * kColBlock];
};

}  // namespace pto
