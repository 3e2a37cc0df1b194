// Transposes blocks of kLanes x kLanes floats in registers.
#pragma once

#include "tile/isa/vector.h"

namespace pto {
namespace {

// The elements of both in turns: a[0], b[0], a[1], ... of their lower halves, and of their upper ones.
inline FloatVector interleave_lower(FloatVector a, FloatVector b) {
#if defined(__AVX512F__)
  return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
#elif defined(__AVX2__)
  return __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
#else
  return __builtin_shufflevector(a, b, 0, 4, 1, 5);
#endif
}

inline FloatVector interleave_upper(FloatVector a, FloatVector b) {
#if defined(__AVX512F__)
  return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
#elif defined(__AVX2__)
  return __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
#else
  return __builtin_shufflevector(a, b, 2, 6, 3, 7);
#endif
}

// Makes rows of columns.
inline void transpose(FloatVector (&block)[kLanes]) {
  // Each round doubles the number of rows that a vector has elements of.
#pragma GCC unroll 4
  for (int round = 1; round < kLanes; round *= 2) {
    FloatVector next[kLanes];
#pragma GCC unroll 8
    for (int i = 0; i < kLanes / 2; ++i) {
      next[2 * i] = interleave_lower(block[i], block[i + kLanes / 2]);
      next[2 * i + 1] = interleave_upper(block[i], block[i + kLanes / 2]);
    }
#pragma GCC unroll 16
    for (int i = 0; i < kLanes; ++i) block[i] = next[i];
  }
}

}  // namespace
}  // namespace pto
