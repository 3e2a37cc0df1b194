// Functions of emitted kernels that think in double and answer in float: within 0.51 ulp of the true value unless said
// otherwise, and the same bits on every machine, as fused multiply-adds are explicit (see pto/kernel.h).
#ifndef PTO_FUNCTIONS_H
#define PTO_FUNCTIONS_H

#include "pto/abi.h"

static inline uint64_t pto_wide_bits(double x) {
  uint64_t bits;
  __builtin_memcpy(&bits, &x, sizeof bits);
  return bits;
}

static inline double pto_wide_from_bits(uint64_t bits) {
  double x;
  __builtin_memcpy(&x, &bits, sizeof x);
  return x;
}

// ---- Building blocks in double: relative errors below 2^-40 ------------------------------------

// log x of a normal x > 0: x = 2^k m with m around 1, log m = 2 atanh(s) with s = (m - 1) / (m + 1).
static inline double pto_wide_log(double x) {
  const uint64_t middle = 0x3fe6a09e667f3bcdu;  // of sqrt(1/2)
  const uint64_t bits = pto_wide_bits(x);
  const int64_t k = (int64_t)(bits - middle) >> 52;
  const double f = pto_wide_from_bits(bits - ((uint64_t)k << 52)) - 1.0;
  const double s = f / (2.0 + f), z = s * s;
  double r = __builtin_fma(z, 2.0 / 19, 2.0 / 17);
  r = __builtin_fma(r, z, 2.0 / 15);
  r = __builtin_fma(r, z, 2.0 / 13);
  r = __builtin_fma(r, z, 2.0 / 11);
  r = __builtin_fma(r, z, 2.0 / 9);
  r = __builtin_fma(r, z, 2.0 / 7);
  r = __builtin_fma(r, z, 2.0 / 5);
  r = __builtin_fma(r, z, 2.0 / 3);
  const double log_m = f - s * (f - z * r);
  return __builtin_fma((double)k, 0x1.62e42fefa39efp-1, log_m);
}

// e^x for |x| up to 700; beyond that e^700 or e^-700.
static inline double pto_wide_exp(double x) {
  const double low = x < -700.0 ? -700.0 : x;
  const double inside = low > 700.0 ? 700.0 : low;
  // Adding 1.5 * 2^52 leaves the nearest integer in the low bits.
  const double shifted = __builtin_fma(inside, 0x1.71547652b82fep+0, 0x1.8p52);
  const double n = shifted - 0x1.8p52;
  double r = __builtin_fma(n, -0x1.62e42fefa39efp-1, inside);
  r = __builtin_fma(n, -0x1.abc9e3b39803fp-56, r);
  double p = __builtin_fma(r, 1.0 / 39916800, 1.0 / 3628800);
  p = __builtin_fma(p, r, 1.0 / 362880);
  p = __builtin_fma(p, r, 1.0 / 40320);
  p = __builtin_fma(p, r, 1.0 / 5040);
  p = __builtin_fma(p, r, 1.0 / 720);
  p = __builtin_fma(p, r, 1.0 / 120);
  p = __builtin_fma(p, r, 1.0 / 24);
  p = __builtin_fma(p, r, 1.0 / 6);
  p = __builtin_fma(p, r, 0.5);
  p = __builtin_fma(p, r, 1.0);
  p = __builtin_fma(p, r, 1.0);
  return p * pto_wide_from_bits((pto_wide_bits(shifted) + 1023u) << 52);
}

// x = quadrant * pi / 2 + rest with |rest| <= pi / 4; the quadrant counts modulo 4.
typedef struct pto_angle {
  double rest;
  uint32_t quadrant;
} pto_angle;

// For |x| < 2^20: two parts of pi / 2 are enough.
static inline pto_angle pto_small_angle(float x) {
  const double shifted = __builtin_fma((double)x, 0x1.45f306dc9c883p-1, 0x1.8p52);
  const double n = shifted - 0x1.8p52;
  const double rest = __builtin_fma(n, -0x1.1a62633145c07p-54, __builtin_fma(n, -0x1.921fb54442d18p+0, (double)x));
  return pto_angle{rest, (uint32_t)pto_wide_bits(shifted) & 3u};
}

// For finite |x| >= 2^20: x = m 2^e, and of 2/pi only the 96 bits matter that m 2^e moves around the point.
static inline pto_angle pto_large_angle(float x) {
  static const uint32_t two_over_pi[9] = {0,           0xa2f9836eu, 0x4e441529u, 0xfc2757d1u, 0xf534ddc0u,
                                          0xdb629599u, 0x3c439041u, 0xfe5163abu, 0xdebbc561u};
  uint32_t bits;
  __builtin_memcpy(&bits, &x, sizeof bits);
  const uint64_t m = (bits & 0x7fffffu) | 0x800000u;
  const uint32_t start = ((bits >> 23) & 0xffu) - 150u - 2u + 32u;  // x 2/pi / 4 modulo 1 begins at this bit
  const uint32_t* words = two_over_pi + (start >> 5);
  uint64_t window[3];
  for (int i = 0; i < 3; ++i) {
    window[i] = (uint32_t)(((uint64_t)words[i] << 32 | words[i + 1]) >> (32u - (start & 31u)));
  }
  const uint64_t low = m * window[2];
  const uint64_t middle = m * window[1] + (low >> 32);
  const uint64_t turn = (m * window[0] + (middle >> 32)) << 32 | (uint32_t)middle;  // of 2^64
  const uint64_t quadrant = (turn + (UINT64_C(1) << 61)) >> 62;
  const double rest = (double)(int64_t)(turn - (quadrant << 62)) * 0x1.921fb54442d18p-62;
  const bool negative = bits >> 31 != 0;
  return pto_angle{negative ? -rest : rest, (uint32_t)(negative ? 0u - quadrant : quadrant) & 3u};
}

static inline pto_angle pto_reduced(float x) {
  return __builtin_fabsf(x) < 0x1p20f ? pto_small_angle(x) : pto_large_angle(x);
}

// sin of an angle's rest, turned by its quadrant.
static inline double pto_wide_sin(pto_angle angle) {
  const double r = angle.rest, z = r * r;
  double s = __builtin_fma(z, 1.0 / 6227020800, -1.0 / 39916800);
  s = __builtin_fma(s, z, 1.0 / 362880);
  s = __builtin_fma(s, z, -1.0 / 5040);
  s = __builtin_fma(s, z, 1.0 / 120);
  s = __builtin_fma(s, z, -1.0 / 6);
  s = __builtin_fma(s * z, r, r);
  double c = __builtin_fma(z, 1.0 / 479001600, -1.0 / 3628800);
  c = __builtin_fma(c, z, 1.0 / 40320);
  c = __builtin_fma(c, z, -1.0 / 720);
  c = __builtin_fma(c, z, 1.0 / 24);
  c = __builtin_fma(c, z, -0.5);
  c = __builtin_fma(c, z, 1.0);
  const double value = angle.quadrant & 1u ? c : s;
  return angle.quadrant & 2u ? -value : value;
}

// ---- Functions ---------------------------------------------------------------------------------

// NaN of an infinity.
static inline float pto_sin(float x) {
  if (!(__builtin_fabsf(x) < __builtin_inff())) return __builtin_nanf("");
  return x == 0.0f ? x : (float)pto_wide_sin(pto_reduced(x));
}

static inline float pto_cos(float x) {
  if (!(__builtin_fabsf(x) < __builtin_inff())) return __builtin_nanf("");
  pto_angle angle = pto_reduced(x);
  ++angle.quadrant;
  return (float)pto_wide_sin(angle);
}

static inline float pto_tanh(float x) {
  const double a = (double)__builtin_fabsf(x);
  const double near = __builtin_fma(a * a * a, -1.0 / 3, a);  // where 1 - 2 / (e^2a + 1) loses too much
  const double far = 1.0 - 2.0 / (pto_wide_exp(a + a) + 1.0);
  const float value = (float)(a < 0x1p-10 ? near : far);
  return x == x ? __builtin_copysignf(value, x) : x;
}

// 2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x. Below 1 a polynomial in x^2; from 1 on
// 1 - e^(-x^2) q(1 / (1 + x)). Chebyshev fits with relative errors of 2^-40 and 2^-35.
static inline float pto_erf(float x) {
  const double a = (double)__builtin_fabsf(x), z = a * a;
  const double t = 2.0 * z - 1.0;
  double near = __builtin_fma(t, 0x1.1c6a2b8d7b363p-28, -0x1.4497827ad3996p-24);
  near = __builtin_fma(near, t, 0x1.4864d6bcd71abp-20);
  near = __builtin_fma(near, t, -0x1.263816a97e99fp-16);
  near = __builtin_fma(near, t, 0x1.c82aa346d00c6p-13);
  near = __builtin_fma(near, t, -0x1.2b902c4ddeb8dp-9);
  near = __builtin_fma(near, t, 0x1.454368013bc69p-6);
  near = __builtin_fma(near, t, -0x1.1fd16291d5e6ap-3);
  near = __builtin_fma(near, t, 0x1.ee51eb23cb890p-1);
  const double inside = a < 4.2 ? a : 4.2;  // from 4 on the answer is 1
  const double u = (1.0 / (1.0 + inside) - 0.34615384615384615) * 6.5;
  double far = __builtin_fma(u, -0x1.96a481d83773dp-27, -0x1.ab74d1d1191d3p-27);
  far = __builtin_fma(far, u, 0x1.7888228ab7f9ep-22);
  far = __builtin_fma(far, u, -0x1.53883bcbde95ep-20);
  far = __builtin_fma(far, u, -0x1.704f1ed26d6f4p-19);
  far = __builtin_fma(far, u, 0x1.9d55dbedc1507p-15);
  far = __builtin_fma(far, u, -0x1.10ff55d505de8p-13);
  far = __builtin_fma(far, u, -0x1.8527d9e4e7744p-10);
  far = __builtin_fma(far, u, 0x1.79c42b5cf031fp-7);
  far = __builtin_fma(far, u, 0x1.32d6f48304f91p-3);
  far = __builtin_fma(far, u, 0x1.123a30ab05ed1p-2);
  const float value = (float)(a < 1.0 ? near * a : 1.0 - pto_wide_exp(-inside * inside) * far);
  return x == x ? __builtin_copysignf(value, x) : x;
}

// x to the power y as C has it: NaN for a negative x and a y that is no integer; 1 wherever x is 1 or y is 0.
static inline float pto_pow(float x, float y) {
  const float a = __builtin_fabsf(x);
  const float half = 0.5f * y;
  const bool integer = __builtin_truncf(y) == y;
  const bool odd = integer && __builtin_truncf(half) != half;
  const double log_a = a == 0.0f ? -__builtin_inf() : a < __builtin_inff() ? pto_wide_log((double)a) : __builtin_inf();
  const float magnitude = (float)pto_wide_exp((double)y * log_a);
  const float value = odd ? __builtin_copysignf(magnitude, x) : magnitude;
  const bool undefined = x < 0.0f && a < __builtin_inff() && !integer;
  const float result = undefined || x != x || y != y ? __builtin_nanf("") : value;
  return x == 1.0f || y == 0.0f || (x == -1.0f && __builtin_fabsf(y) == __builtin_inff()) ? 1.0f : result;
}

// The larger and the smaller of two; NaN where one of them is.
static inline float pto_maximum(float a, float b) { return a > b || a != a ? a : b; }
static inline float pto_minimum(float a, float b) { return a < b || a != a ? a : b; }

// ---- Functions of double: those of the C library -----------------------------------------------

static inline double pto_log(double x) { return __builtin_log(x); }
static inline double pto_sin(double x) { return __builtin_sin(x); }
static inline double pto_cos(double x) { return __builtin_cos(x); }
static inline double pto_tanh(double x) { return __builtin_tanh(x); }
static inline double pto_erf(double x) { return __builtin_erf(x); }
static inline double pto_pow(double x, double y) { return __builtin_pow(x, y); }
static inline double pto_maximum(double a, double b) { return a > b || a != a ? a : b; }
static inline double pto_minimum(double a, double b) { return a < b || a != a ? a : b; }

#endif
