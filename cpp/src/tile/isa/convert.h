// Floats of low precision: widened exactly, narrowed to the nearest, ties to even. A NaN stays one: quiet, with its
// sign and the upper bits of its payload, as the machine's own conversions do.
#pragma once

#include "tile/isa/vector.h"

namespace pto {
namespace {

struct F32 {
  static constexpr int kBytes = 4;
  static FloatVector widen(const char* from) { return load_vector<FloatVector>(from); }
  static void narrow(FloatVector value, char* to) { store_vector(to, value); }
  static FloatVector round(FloatVector value) { return value; }
};

struct BF16 {
  static constexpr int kBytes = 2;
  static FloatVector widen(const char* from) {
    return (FloatVector)(__builtin_convertvector(load_vector<HalfVector>(from), WordVector) << 16);
  }
  static WordVector rounded_bits(FloatVector value) {
    const WordVector bits = (WordVector)value;
    const WordVector nearest = (bits + 0x7fffu + ((bits >> 16) & 1u)) & 0xffff0000u;
    const WordVector quiet = (bits | 0x00400000u) & 0xffff0000u;
    return (bits & 0x7fffffffu) > 0x7f800000u ? quiet : nearest;
  }
  static void narrow(FloatVector value, char* to) {
    store_vector(to, __builtin_convertvector(rounded_bits(value) >> 16, HalfVector));
  }
  static FloatVector round(FloatVector value) { return (FloatVector)rounded_bits(value); }
};

struct F16 {
  static constexpr int kBytes = 2;
#if defined(__AVX512F__)
  // With a mask of ones: the forms without a mask set off a warning in GCC 12's own header.
  static __m256i to_half(FloatVector value) {
    return _mm512_maskz_cvtps_ph(0xffff, (__m512)value, _MM_FROUND_TO_NEAREST_INT);
  }
  static FloatVector from_half(__m256i half) { return (FloatVector)_mm512_maskz_cvtph_ps(0xffff, half); }
  static FloatVector widen(const char* from) { return from_half(load_vector<__m256i>(from)); }
  static void narrow(FloatVector value, char* to) { store_vector(to, to_half(value)); }
  static FloatVector round(FloatVector value) { return from_half(to_half(value)); }
#elif defined(__F16C__)
  static __m128i to_half(FloatVector value) { return _mm256_cvtps_ph((__m256)value, _MM_FROUND_TO_NEAREST_INT); }
  static FloatVector from_half(__m128i half) { return (FloatVector)_mm256_cvtph_ps(half); }
  static FloatVector widen(const char* from) { return from_half(load_vector<__m128i>(from)); }
  static void narrow(FloatVector value, char* to) { store_vector(to, to_half(value)); }
  static FloatVector round(FloatVector value) { return from_half(to_half(value)); }
#else
  static FloatVector widen(const char* from) {
    const WordVector half = __builtin_convertvector(load_vector<HalfVector>(from), WordVector);
    const WordVector magnitude = (half & 0x7fffu) << 13;
    // Moves the exponent from its place in an f16 to that in an f32, for subnormals too.
    const WordVector finite = (WordVector)((FloatVector)magnitude * 0x1p112f);
    const WordVector quiet = magnitude > 0x0f800000u ? WordVector{} + 0x00400000u : WordVector{};
    const WordVector special = magnitude | 0x7f800000u | quiet;
    return (FloatVector)((magnitude >= 0x0f800000u ? special : finite) | (half & 0x8000u) << 16);
  }
  static FloatVector round(FloatVector value) {
    for (int lane = 0; lane < kLanes; ++lane) value[lane] = pto_round_f16(value[lane]);
    const WordVector bits = (WordVector)value;
    const WordVector quiet = (bits | 0x00400000u) & 0xffffe000u;
    return (FloatVector)((bits & 0x7fffffffu) > 0x7f800000u ? quiet : bits);
  }
  static void narrow(FloatVector value, char* to) {
    const WordVector bits = (WordVector)round(value), magnitude = bits & 0x7fffffffu;
    // Back from the f32's exponent: exact, since the value is an f16.
    const WordVector finite = (WordVector)((FloatVector)magnitude * 0x1p-112f);
    const WordVector special = (magnitude & 0x007fffffu) | 0x0f800000u;
    const WordVector half = (magnitude >= 0x7f800000u ? special : finite) >> 13;
    store_vector(to, __builtin_convertvector(half | (bits & 0x80000000u) >> 16, HalfVector));
  }
#endif
};

}  // namespace
}  // namespace pto
