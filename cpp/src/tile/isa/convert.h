// Floats of low precision: widened exactly, narrowed to the nearest, ties to even. A NaN stays one: quiet, with its
// sign and the upper bits of its payload, as the machine's own conversions do.
#pragma once

#include "tile/isa/vector.h"

namespace pto {
namespace {

// In one instruction each: `__builtin_convertvector` takes several.
inline WordVector zero_extended(HalfVector half) {
#if defined(__AVX512F__)
  return (WordVector)_mm512_maskz_cvtepu16_epi32(0xffff, (__m256i)half);
#elif defined(__AVX2__)
  return (WordVector)_mm256_cvtepu16_epi32((__m128i)half);
#else
  return __builtin_convertvector(half, WordVector);
#endif
}

inline HalfVector sign_extended(const char* bytes) {
#if defined(__AVX512F__)
  return (HalfVector)_mm256_cvtepi8_epi16(load_vector<__m128i>(bytes));
#elif defined(__AVX2__)
  return (HalfVector)_mm_cvtepi8_epi16(_mm_loadl_epi64((const __m128i*)bytes));
#else
  return (HalfVector) __builtin_convertvector(load_vector<SignedByteVector>(bytes), SignedHalfVector);
#endif
}

struct F32 {
  static constexpr int kBytes = 4;
  static FloatVector widen(const char* from) { return load_vector<FloatVector>(from); }
  static void narrow(FloatVector value, char* to) { store_vector(to, value); }
  static FloatVector round(FloatVector value) { return value; }
};

struct BF16 {
  static constexpr int kBytes = 2;
  static FloatVector widen(const char* from) {
    return (FloatVector)(zero_extended(load_vector<HalfVector>(from)) << 16);
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

// Of fp8 only the conversion to and from f16 is told apart from it: the upper byte of an f16 is an e5m2, and an e4m3
// moved up to the f16's exponent is 2^-8 of its number.
struct F8E5M2 {
  static constexpr int kBytes = 1;
  static FloatVector widen(const char* from) {
    const HalfVector half = sign_extended(from) << 8;
    return F16::widen((const char*)&half);
  }
  static FloatVector round(FloatVector value) {
    for (int lane = 0; lane < kLanes; ++lane) value[lane] = pto_round_f8e5m2(value[lane]);
    return value;
  }
  static void narrow(FloatVector value, char* to) {
    HalfVector half;
    F16::narrow(round(value), (char*)&half);
    store_vector(to, __builtin_convertvector(half >> 8, ByteVector));
  }
};

struct F8E4M3 {
  static constexpr int kBytes = 1;
  static FloatVector widen(const char* from) {
    // The sign is in two places, then in one.
    const HalfVector half = (sign_extended(from) << 7) & 0xbf80;
    const HalfVector number = (half & 0x3f80) == 0x3f80 ? half | 0x7e00 : half;  // all ones stand for NaN
    return F16::widen((const char*)&number) * 256.0f;
  }
  static FloatVector round(FloatVector value) {
    for (int lane = 0; lane < kLanes; ++lane) value[lane] = pto_round_f8e4m3(value[lane]);
    return value;
  }
  static void narrow(FloatVector value, char* to) {
    const WordVector bits = (WordVector)round(value), sign = bits & 0x80000000u;
    const FloatVector number = (FloatVector)((bits & 0x7fffffffu) > 0x7f800000u ? sign | 0x43f00000u : bits);
    HalfVector half;
    F16::narrow(number * 0x1p-8f, (char*)&half);
    store_vector(to, __builtin_convertvector((half >> 8 & 0x80) | (half >> 7 & 0x7f), ByteVector));
  }
};

}  // namespace
}  // namespace pto
