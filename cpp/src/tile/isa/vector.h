// The vectors of the instruction set that this file is compiled for, and their fused multiply-add. Files under isa/
// are compiled once per instruction set, everything in an unnamed namespace, without the standard library: an inline
// function of its compiled here could be the one that the linker keeps for machines without these instructions.
// They need -ffp-contract=fast, by which `a * b + c` on vectors is one instruction.
#pragma once

#include "pto/abi.h"
#include "pto/kernel.h"

#if defined(__F16C__)
#include <immintrin.h>
#endif

namespace pto {
namespace {

#if defined(__AVX512F__)
constexpr int kLanes = 16;
constexpr int kTileRows = 8, kTileVectors = 3;  // of a matmul's accumulators in registers
#elif defined(__AVX2__)
constexpr int kLanes = 8;
constexpr int kTileRows = 6, kTileVectors = 2;
#elif defined(__aarch64__)
constexpr int kLanes = 4;
constexpr int kTileRows = 8, kTileVectors = 3;
#else
constexpr int kLanes = 4;
constexpr int kTileRows = 2, kTileVectors = 3;
#endif

typedef float FloatVector __attribute__((vector_size(4 * kLanes)));
typedef uint32_t WordVector __attribute__((vector_size(4 * kLanes)));
typedef int32_t IntVector __attribute__((vector_size(4 * kLanes)));
typedef uint16_t HalfVector __attribute__((vector_size(2 * kLanes)));
typedef int16_t SignedHalfVector __attribute__((vector_size(2 * kLanes)));
typedef uint8_t ByteVector __attribute__((vector_size(kLanes)));
typedef int8_t SignedByteVector __attribute__((vector_size(kLanes)));

template <typename Vector>
inline Vector load_vector(const void* from) {
  Vector value;
  __builtin_memcpy(&value, from, sizeof value);
  return value;
}

template <typename Vector>
inline void store_vector(void* to, Vector value) {
  __builtin_memcpy(to, &value, sizeof value);
}

// x - 0 and not x + 0: the latter is an addition, since -0 + 0 = +0.
inline FloatVector broadcast(float x) { return x - FloatVector{}; }

inline FloatVector fused_multiply_add(FloatVector a, FloatVector b, FloatVector c) {
#if defined(__FMA__) || defined(__aarch64__)
  return a * b + c;
#else
  for (int lane = 0; lane < kLanes; ++lane) c[lane] = __builtin_fmaf(a[lane], b[lane], c[lane]);
  return c;
#endif
}

}  // namespace
}  // namespace pto
