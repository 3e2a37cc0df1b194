// Exact time inside the cost model: integers of 2^-40 cycle, rounded up to cycles once, at the end.
#pragma once

#include <cstdint>

namespace pto::cost {

using Ticks = __int128;

inline constexpr int kTickBits = 40;

constexpr Ticks ticks(int64_t cycles) { return static_cast<Ticks>(cycles) << kTickBits; }

constexpr Ticks ceil_cycles(Ticks time) { return (time + (Ticks{1} << kTickBits) - 1) >> kTickBits; }

template <typename T>
constexpr T ceil_div(T a, T b) {
  return (a + b - 1) / b;
}

constexpr int64_t align(int64_t size, int64_t unit) { return ceil_div(size, unit) * unit; }

// The bytes of `part` elements of a matrix that has `whole`, rounded up.
constexpr int64_t share_of(int64_t bytes, int64_t part, int64_t whole) {
  return static_cast<int64_t>(ceil_div(static_cast<Ticks>(bytes) * part, static_cast<Ticks>(whole)));
}

// The time of a byte, rounded up to a tick: off by less than 10^-7 of a cycle in a megabyte.
struct Rate {
  Ticks per_byte = 0;

  static constexpr Rate of(int64_t bytes_per_second, int64_t clock_hz) {
    return {ceil_div(ticks(clock_hz), static_cast<Ticks>(bytes_per_second))};
  }
  constexpr Ticks operator()(int64_t bytes) const { return per_byte * bytes; }
};

}  // namespace pto::cost
