#pragma once

#include <stdint.h>

namespace pto {
namespace {

// One step of the splitmix64 generator from the state `x`: a bijection that mixes every bit into every other.
inline uint64_t splitmix64(uint64_t x) {
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
  x = (x ^ x >> 27) * 0x94d049bb133111ebu;
  return x ^ x >> 31;
}

}  // namespace
}  // namespace pto
