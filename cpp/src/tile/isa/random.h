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

}  // namespace
}  // namespace pto
