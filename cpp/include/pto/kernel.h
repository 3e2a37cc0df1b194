// Element-wise functions for emitted kernels. Straight-line code: a loop over them becomes vector code under
// -O3 -fno-math-errno -fno-trapping-math -ffp-contract=off. Fused multiply-adds are explicit, so every machine gives
// the same bits; one without the instruction is slow.
#ifndef PTO_KERNEL_H
#define PTO_KERNEL_H

#include "pto/abi.h"
#include "pto/functions.h"

static inline uint32_t pto_bits(float x) {
  uint32_t bits;
  __builtin_memcpy(&bits, &x, sizeof bits);
  return bits;
}

static inline float pto_from_bits(uint32_t bits) {
  float x;
  __builtin_memcpy(&x, &bits, sizeof x);
  return x;
}

// e^x within 1 ulp of the true value; exact 0, inf and NaN, correct subnormals.
// x = n ln 2 + r with |r| <= ln 2 / 2; e^r = 1 + r + r^2 q(r), where q is a minimax polynomial of degree 4
// (relative error of the whole below 2^-28).
static inline float pto_exp(float x) {
  const float low = x < -104.0f ? -104.0f : x;
  const float in_range = low > 89.0f ? 89.0f : low;
  // Adding 1.5 * 2^23 leaves the nearest integer in the low bits.
  const float shifted = __builtin_fmaf(in_range, 0x1.715476p0f, 0x1.8p23f);
  const float n = shifted - 0x1.8p23f;
  const int32_t exponent = (int32_t)(pto_bits(shifted) - pto_bits(0x1.8p23f));
  float r = __builtin_fmaf(n, -0x1.62e4p-1f, in_range);  // 15 bits of ln 2: n times it is exact
  r = __builtin_fmaf(n, -0x1.7f7d1cp-20f, r);
  float q = __builtin_fmaf(r, 0x1.6a23dp-10f, 0x1.123a2p-7f);
  q = __builtin_fmaf(q, r, 0x1.5558f2p-5f);
  q = __builtin_fmaf(q, r, 0x1.555492p-3f);
  q = __builtin_fmaf(q, r, 0x1.fffffcp-2f);
  const float power = 1.0f + __builtin_fmaf(r * r, q, r);
  // 2^n in two factors: n leaves the range of one at both ends.
  const int32_t half = exponent >> 1;
  const float scale = pto_from_bits((uint32_t)(half + 127) << 23);
  const float rest = pto_from_bits((uint32_t)(exponent - half + 127) << 23);
  return power * scale * rest;
}

// The natural logarithm within 0.82 ulp; -inf of 0, NaN below.
// x = 2^n (1 + f) with 1 + f around 1; log(1 + f) = f - f^2 / 2 + f^3 q(f), where q is a minimax polynomial of degree 8
// (relative error of the whole below 2^-30).
static inline float pto_log(float x) {
  const bool subnormal = x < 0x1p-126f;
  const uint32_t bits = pto_bits(subnormal ? x * 0x1p23f : x);
  const int32_t exponent = (int32_t)(bits - 0x3f3504f3u) >> 23;  // the bits of sqrt(1/2)
  const float f = pto_from_bits(bits - ((uint32_t)exponent << 23)) - 1.0f;
  const float n = (float)exponent + (subnormal ? -23.0f : 0.0f);
  float q = __builtin_fmaf(f, 0x1.1457a6p-4f, -0x1.de3c16p-4f);
  q = __builtin_fmaf(q, f, 0x1.e6f06ap-4f);
  q = __builtin_fmaf(q, f, -0x1.fc2208p-4f);
  q = __builtin_fmaf(q, f, 0x1.233768p-3f);
  q = __builtin_fmaf(q, f, -0x1.555c4ep-3f);
  q = __builtin_fmaf(q, f, 0x1.99a4b6p-3f);
  q = __builtin_fmaf(q, f, -0x1.000006p-2f);
  q = __builtin_fmaf(q, f, 0x1.555548p-2f);
  const float square = f * f;
  const float low = __builtin_fmaf(f * square, q, -0.5f * square);
  const float rest = f + __builtin_fmaf(n, -0x1.bd0106p-13f, low);
  const float value = __builtin_fmaf(n, 0x1.63p-1f, rest);  // 9 bits of ln 2: n times it is exact
  const float positive = x < __builtin_inff() ? value : x;
  const float other = x == 0.0f ? -__builtin_inff() : __builtin_nanf("");
  return x > 0.0f ? positive : other;
}

// 1 / (1 + e^-x) within 2.5 ulp; never overflows on the way.
static inline float pto_sigmoid(float x) {
  const float e = pto_exp(-__builtin_fabsf(x));
  const float numerator = x < 0.0f ? e : 1.0f;
  return numerator / (1.0f + e);
}

static inline float pto_rsqrt(float x) { return 1.0f / __builtin_sqrtf(x); }

// In double the functions are those of the C library: within 1 ulp, and a bit may differ from machine to machine.
static inline double pto_exp(double x) { return __builtin_exp(x); }
static inline double pto_sigmoid(double x) {
  const double e = __builtin_exp(-__builtin_fabs(x));
  return (x < 0.0 ? e : 1.0) / (1.0 + e);
}
static inline double pto_rsqrt(double x) { return 1.0 / __builtin_sqrt(x); }

// The nearest f16 as float, ties to even; a NaN stays as it is.
static inline float pto_round_f16(float x) {
  const uint32_t bits = pto_bits(x), sign = bits & 0x80000000u, magnitude = bits & 0x7fffffffu;
  const uint32_t normal = (magnitude + 0xfffu + ((magnitude >> 13) & 1u)) & 0xffffe000u;
  const uint32_t finite = normal >= 0x47800000u ? 0x7f800000u : normal;  // from 65520 on: infinity
  // Below 2^-14 the spacing is 2^-24, which is that of floats from 0.5 on.
  const uint32_t tiny = pto_bits((pto_from_bits(magnitude) + 0.5f) - 0.5f);
  const uint32_t rounded = magnitude < 0x38800000u ? tiny : finite;
  return pto_from_bits(magnitude > 0x7f800000u ? bits : rounded | sign);
}

// The nearest bf16 as float, ties to even; a NaN stays as it is.
static inline float pto_round_bf16(float x) {
  const uint32_t bits = pto_bits(x);
  const uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) & 0xffff0000u;
  return pto_from_bits((bits & 0x7fffffffu) > 0x7f800000u ? bits : rounded);
}

// The nearest fp8 of 4 bits of exponent and 3 of mantissa as float, ties to even. It has no infinity: what is beyond
// 464, halfway from its largest number, 448, to the next, is NaN.
static inline float pto_round_f8e4m3(float x) {
  const uint32_t bits = pto_bits(x), sign = bits & 0x80000000u, magnitude = bits & 0x7fffffffu;
  const uint32_t normal = (magnitude + 0x7ffffu + ((magnitude >> 20) & 1u)) & 0xfff00000u;
  const uint32_t finite = normal >= 0x43f00000u ? 0x7fc00000u : normal;  // from 480 on
  // Below 2^-6 the spacing is 2^-9, which is that of floats from 2^14 on.
  const uint32_t tiny = pto_bits((pto_from_bits(magnitude) + 0x1p14f) - 0x1p14f);
  const uint32_t rounded = magnitude < 0x3c800000u ? tiny : finite;
  return pto_from_bits(magnitude > 0x7f800000u ? bits : rounded | sign);
}

// The nearest fp8 of 5 bits of exponent and 2 of mantissa as float, ties to even; from 61440 on infinity.
static inline float pto_round_f8e5m2(float x) {
  const uint32_t bits = pto_bits(x), sign = bits & 0x80000000u, magnitude = bits & 0x7fffffffu;
  const uint32_t normal = (magnitude + 0xfffffu + ((magnitude >> 21) & 1u)) & 0xffe00000u;
  const uint32_t finite = normal >= 0x47800000u ? 0x7f800000u : normal;
  // Below 2^-14 the spacing is 2^-16, which is that of floats from 2^7 on.
  const uint32_t tiny = pto_bits((pto_from_bits(magnitude) + 0x1p7f) - 0x1p7f);
  const uint32_t rounded = magnitude < 0x38800000u ? tiny : finite;
  return pto_from_bits(magnitude > 0x7f800000u ? bits : rounded | sign);
}

// A float that rounds to a narrower float as x does: of the two around x, if it is none, the one whose last bit is set.
static inline float pto_odd_float(double x) {
  const float nearest = (float)x;
  const uint32_t bits = pto_bits(nearest);
  const double away = __builtin_fabs((double)nearest), magnitude = __builtin_fabs(x);
  const uint32_t other = away > magnitude ? bits - 1u : bits + 1u;
  return pto_from_bits(away == magnitude || x != x || bits & 1u ? bits : other);
}
static inline float pto_odd_float(int32_t x) { return pto_odd_float((double)x); }
static inline float pto_odd_float(uint32_t x) { return pto_odd_float((double)x); }
static inline float pto_odd_float(uint64_t x) {
  // A double holds it with one bit for the last eleven: whether any of them is set.
  const uint64_t low = x & 0x7ffu;
  return pto_odd_float((double)(x >> 53 != 0 ? (x - low) | (uint64_t)(low != 0) << 11 : x));
}
static inline float pto_odd_float(int64_t x) {
  const float magnitude = pto_odd_float(x < 0 ? UINT64_C(0) - (uint64_t)x : (uint64_t)x);
  return x < 0 ? -magnitude : magnitude;
}

// Casts to integers go towards zero, stop at the ends of the range, and make 0 of a NaN.
template <typename Int, typename Float>
inline Int pto_to(Float x) {
  constexpr bool kSigned = (Int)-1 < (Int)0;
  constexpr int kBits = 8 * sizeof(Int) - kSigned;
  constexpr Float kBeyond = (Float)(UINT64_C(1) << (kBits - 1)) * 2, kLeast = kSigned ? -kBeyond : (Float)0;
  constexpr Int kMost = (Int)((UINT64_C(1) << (kBits - 1)) - 1 + (UINT64_C(1) << (kBits - 1)));
  const Float low = x > kLeast ? x : kLeast;
  const Float inside = low < kBeyond ? low : (Float)0;
  const Int value = x >= kBeyond ? kMost : (Int)inside;
  return x == x ? value : (Int)0;
}

// The numbers of a selected row; few of them need no memory but the stack's.
struct pto_numbers {
  explicit pto_numbers(int64_t count)
      : data(count <= 64 ? small : (int64_t*)__builtin_malloc((unsigned long)count * sizeof(int64_t))) {}
  ~pto_numbers() {
    if (data != small) __builtin_free(data);
  }
  pto_numbers(const pto_numbers&) = delete;
  pto_numbers& operator=(const pto_numbers&) = delete;
  int64_t* data;  // null where there is no memory
  int64_t small[64];
};

// Index arithmetic as Python and the IR have it: rounded down, the remainder has the divisor's sign.
static inline int64_t pto_floordiv(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a % b < 0) != (b < 0)); }
static inline int64_t pto_mod(int64_t a, int64_t b) { return a - pto_floordiv(a, b) * b; }

#endif
