// The meaning of the tile routines, element by element, written without them.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "pto/abi.h"
#include "tile/tables.h"

namespace pto::test {

struct NamedTable {
  std::string name;
  const pto_tile_ops& ops;
};

// The tables that this processor can run.
inline std::vector<NamedTable> tile_tables() {
  std::vector<NamedTable> tables = {{"baseline", kBaselineTable}};
#if defined(__x86_64__)
  if (__builtin_cpu_supports("x86-64-v3")) tables.push_back({"x86-64-v3", kX86V3Table});
  if (__builtin_cpu_supports("x86-64-v4")) tables.push_back({"x86-64-v4", kX86V4Table});
#endif
  return tables;
}

inline uint32_t bits(float value) { return std::bit_cast<uint32_t>(value); }

inline std::vector<uint32_t> bits(const std::vector<float>& values) {
  std::vector<uint32_t> all;
  for (const float value : values) all.push_back(bits(value));
  return all;
}

// A number with `mantissa` explicit bits and a smallest normal exponent, from its bits.
inline float widen_small_float(uint32_t pattern, int mantissa, int exponent_bits) {
  const uint32_t fraction = pattern & ((1u << mantissa) - 1);
  const int exponent = static_cast<int>(pattern >> mantissa & ((1u << exponent_bits) - 1));
  const int bias = (1 << (exponent_bits - 1)) - 1;
  const float sign = pattern >> (mantissa + exponent_bits) ? -1.0f : 1.0f;
  if (exponent == 2 * bias + 1) return fraction ? std::copysign(std::nanf(""), sign) : sign * INFINITY;
  if (exponent == 0) return sign * std::ldexp(static_cast<float>(fraction), 1 - bias - mantissa);
  return sign * std::ldexp(static_cast<float>(fraction + (1u << mantissa)), exponent - bias - mantissa);
}

inline float widen_f16(uint16_t pattern) { return widen_small_float(pattern, 10, 5); }
inline float widen_bf16(uint16_t pattern) { return widen_small_float(pattern, 7, 8); }
inline float widen_f8e5m2(uint8_t pattern) { return widen_small_float(pattern, 2, 5); }
// It has numbers where others have infinities, and one NaN per sign.
inline float widen_f8e4m3(uint8_t pattern) {
  const float sign = pattern & 0x80 ? -1.0f : 1.0f;
  if ((pattern & 0x7f) == 0x7f) return std::copysign(std::nanf(""), sign);
  const float fraction = static_cast<float>(8 + (pattern & 7));
  return (pattern & 0x78) == 0x78 ? sign * std::ldexp(fraction, 5) : widen_small_float(pattern, 3, 4);
}

// The nearest number with `mantissa` bits, ties to even; infinity from half a step above the largest on.
inline float round_small_float(float value, int mantissa, int lowest_exponent, double largest) {
  if (value == 0 || !std::isfinite(value)) return value;
  const int step = std::max(std::ilogb(value), lowest_exponent) - mantissa;
  const double rounded = std::ldexp(std::nearbyint(std::ldexp(static_cast<double>(value), -step)), step);
  return static_cast<float>(std::abs(rounded) > largest ? std::copysign(INFINITY, value) : rounded);
}

inline float round_f16(float value) { return round_small_float(value, 10, -14, 65504); }
inline float round_bf16(float value) { return round_small_float(value, 7, -126, 0x1.fep127); }
inline float round_f8e5m2(float value) { return round_small_float(value, 2, -14, 57344); }
inline float round_f8e4m3(float value) {
  const float rounded = round_small_float(value, 3, -6, 448);
  return std::isinf(rounded) ? NAN : rounded;
}

}  // namespace pto::test
