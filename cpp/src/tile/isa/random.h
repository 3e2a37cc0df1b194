// Procedural elements: a keyed hash of the element's index, the same number on every machine.
#pragma once

#include "tile/isa/convert.h"
#include "tile/splitmix.h"

namespace pto {
namespace {

// The tensor's key for the 2^32 elements whose index has the upper half `high`. Both halves are well mixed: keys that
// differ little would give related values.
struct HashKey {
  HashKey(uint64_t key, uint32_t high) {
    const uint64_t mixed = splitmix64(key ^ high);
    first = (uint32_t)mixed;
    second = (uint32_t)(mixed >> 32);
  }
  uint32_t first, second;
};

// Keyed triple32.
inline WordVector hash(WordVector x, HashKey key) {
  x ^= key.first;
  x = (x ^ x >> 17) * 0xed5ad4bbu;
  x = (x ^ x >> 11) * 0xac4c1b51u;
  x ^= key.second;
  x = (x ^ x >> 15) * 0x31848babu;
  return x ^ x >> 14;
}

// Uniform in (-scale, scale): an odd multiple of scale * 2^-24, rounded once, to the element's type.
template <typename Type>
inline FloatVector random_values(WordVector index, HashKey key, float scale) {
  const IntVector odd = (IntVector)hash(index, key) >> 7 | 1;
  return Type::round(__builtin_convertvector(odd, FloatVector) * (scale * 0x1p-24f));
}

// The `count` f64 elements from the number `first` on, `step` apart: odd multiples of scale * 2^-53, rounded once.
// Their upper bits are those of an f32 element, the lower ones a hash with a key of its own.
inline void random_doubles(uint64_t key, float scale, uint64_t first, int64_t step, int64_t count, double* out) {
  const uint64_t lower_key = splitmix64(key);
  const double unit = (double)scale * 0x1p-53;
  WordVector lanes;
  for (int lane = 0; lane < kLanes; ++lane) lanes[lane] = lane;
  for (int64_t i = 0, strip; i < count; i += strip, first += strip * step) {
    strip = count - i < kLanes ? count - i : kLanes;
    const uint64_t high = first >> 32;
    if (high != (first + (strip - 1) * step) >> 32) strip = 1;
    const WordVector index = lanes * (uint32_t)step + (uint32_t)first;
    const WordVector upper = hash(index, HashKey(key, high)), lower = hash(index, HashKey(lower_key, high));
    for (int64_t lane = 0; lane < strip; ++lane) {
      const int64_t odd = (int64_t)((uint64_t)upper[lane] << 32 | lower[lane]) >> 10 | 1;
      out[i + lane] = (double)odd * unit;
    }
  }
}

}  // namespace
}  // namespace pto
