// Low precision is widened exactly and rounded to the nearest, ties to even, with the same bits everywhere.
#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "pto/kernel.h"
#include "tile_reference.h"

namespace {

using namespace pto::test;

pto_tile row_tile(void* data, int64_t cols) { return {data, cols, 1, 0, 0, 0}; }

template <typename Pattern>
std::vector<float> load_row(const pto_tile_ops& ops, pto_dtype dtype, std::vector<Pattern> from) {
  const auto count = static_cast<int64_t>(from.size());
  std::vector<float> values(from.size());
  const pto_tile tile = row_tile(from.data(), count);
  ops.load(&tile, dtype, 0, 0, 1, count, values.data());
  return values;
}

template <typename Pattern = uint16_t>
std::vector<Pattern> store_row(const pto_tile_ops& ops, pto_dtype dtype, const std::vector<float>& values) {
  const auto count = static_cast<int64_t>(values.size());
  std::vector<Pattern> to(values.size());
  const pto_tile tile = row_tile(to.data(), count);
  ops.store(&tile, dtype, 0, 0, 1, count, values.data());
  return to;
}

std::vector<uint16_t> all_patterns() {
  std::vector<uint16_t> patterns(65536);
  for (size_t i = 0; i < patterns.size(); ++i) patterns[i] = static_cast<uint16_t>(i);
  return patterns;
}

// Random bits, and numbers around every tie of both formats.
std::vector<float> hard_floats() {
  std::mt19937 random(1);
  std::vector<float> values;
  for (int i = 0; i < 200'000; ++i) values.push_back(std::bit_cast<float>(static_cast<uint32_t>(random())));
  for (uint32_t pattern = 0; pattern < 65536; ++pattern) {
    for (const int32_t nudge : {-1, 0, 1}) {
      const float f16_tie = widen_f16(static_cast<uint16_t>(pattern));
      if (std::isfinite(f16_tie)) values.push_back(std::bit_cast<float>(bits(f16_tie) + 0x1000 + nudge));
      values.push_back(std::bit_cast<float>((pattern << 16) + 0x8000 + nudge));
    }
  }
  values.insert(values.end(), {65519.99f, 65520, -65520, 65536, 0x1p-25f, 0x1.000002p-25f, -0x1p-24f, 0x1.ffp127f});
  return values;
}

bool is_quiet_nan(float value) { return std::isnan(value) && (bits(value) & 0x00400000u); }

using Widen = float (*)(uint16_t);
using Round = float (*)(float);
struct Format {
  pto_dtype dtype;
  Widen widen;
  Round round;
  Round kernel_round;
};
const Format kFormats[] = {{PTO_F16, widen_f16, round_f16, pto_round_f16},
                           {PTO_BF16, widen_bf16, round_bf16, pto_round_bf16}};

}  // namespace

TEST_CASE("every f16 and bf16 is widened exactly and comes back") {
  for (const auto& [name, ops] : tile_tables()) {
    CAPTURE(name);
    for (const Format& format : kFormats) {
      const auto values = load_row(ops, format.dtype, all_patterns());
      const auto back = store_row(ops, format.dtype, values);
      int64_t wrong = 0;
      for (size_t i = 0; i < values.size(); ++i) {
        const float expected = format.widen(static_cast<uint16_t>(i));
        const bool same = std::isnan(expected) ? std::isnan(values[i]) && std::signbit(values[i]) == (i >> 15 == 1)
                                               : bits(values[i]) == bits(expected);
        const uint16_t returned = std::isnan(expected) ? back[i] & 0x8000 : back[i];
        wrong += !same || returned != (std::isnan(expected) ? i & 0x8000 : i);
      }
      CHECK(wrong == 0);
    }
  }
}

TEST_CASE("a store rounds to the nearest, ties to even") {
  const auto values = hard_floats();
  for (const auto& [name, ops] : tile_tables()) {
    CAPTURE(name);
    for (const Format& format : kFormats) {
      const auto rounded = load_row(ops, format.dtype, store_row(ops, format.dtype, values));
      int64_t wrong = 0;
      for (size_t i = 0; i < values.size(); ++i) {
        const float expected = format.round(values[i]);
        wrong += std::isnan(expected) ? !is_quiet_nan(rounded[i]) : bits(rounded[i]) != bits(expected);
      }
      CHECK(wrong == 0);
    }
  }
}

TEST_CASE("all instruction sets store the same bits, NaNs included") {
  const auto values = hard_floats();
  const auto tables = tile_tables();
  for (const Format& format : kFormats) {
    const auto stored = store_row(tables[0].ops, format.dtype, values);
    const auto loaded = bits(load_row(tables[0].ops, format.dtype, all_patterns()));
    for (const auto& [name, ops] : tables) {
      CAPTURE(name);
      CHECK(store_row(ops, format.dtype, values) == stored);
      // Signalling NaNs of bf16 are only moved.
      if (format.dtype == PTO_F16) CHECK(bits(load_row(ops, format.dtype, all_patterns())) == loaded);
    }
  }
}

TEST_CASE("kernels round as stores do") {
  for (const Format& format : kFormats) {
    int64_t wrong = 0;
    for (const float value : hard_floats()) {
      const float expected = format.round(value), rounded = format.kernel_round(value);
      wrong += std::isnan(expected) ? !std::isnan(rounded) : bits(rounded) != bits(expected);
    }
    CHECK(wrong == 0);
  }
}

TEST_CASE("fp8 is widened exactly, comes back, and is rounded to the nearest") {
  struct Fp8 {
    pto_dtype dtype;
    float (*widen)(uint8_t);
    Round round, kernel_round;
  };
  const Fp8 formats[] = {{PTO_F8E4M3, widen_f8e4m3, round_f8e4m3, pto_round_f8e4m3},
                         {PTO_F8E5M2, widen_f8e5m2, round_f8e5m2, pto_round_f8e5m2}};
  std::vector<uint8_t> patterns(256);
  for (size_t i = 0; i < patterns.size(); ++i) patterns[i] = static_cast<uint8_t>(i);
  auto values = hard_floats();
  for (const Fp8& format : formats) {
    for (const uint8_t pattern : patterns) {
      const float number = format.widen(pattern), next = format.widen(static_cast<uint8_t>(pattern + 1));
      const float tie = std::isfinite(number + next) ? (number + next) / 2 : number * 1.03f;
      for (const int32_t nudge : {-1, 0, 1}) values.push_back(std::bit_cast<float>(bits(tie) + nudge));
    }
  }
  for (const auto& [name, ops] : tile_tables()) {
    CAPTURE(name);
    for (const Fp8& format : formats) {
      const auto wide = load_row(ops, format.dtype, patterns);
      const auto back = store_row<uint8_t>(ops, format.dtype, wide);
      const auto rounded = load_row(ops, format.dtype, store_row<uint8_t>(ops, format.dtype, values));
      int64_t wrong = 0;
      for (const uint8_t pattern : patterns) {
        const float expected = format.widen(pattern);
        wrong += std::isnan(expected) ? !is_quiet_nan(wide[pattern]) || !std::isnan(format.widen(back[pattern]))
                                      : bits(wide[pattern]) != bits(expected) || back[pattern] != pattern;
      }
      for (size_t i = 0; i < values.size(); ++i) {
        const float expected = format.round(values[i]), kernel = format.kernel_round(values[i]);
        wrong += std::isnan(expected) ? !std::isnan(rounded[i]) || !std::isnan(kernel)
                                      : bits(rounded[i]) != bits(expected) || bits(kernel) != bits(expected);
      }
      CHECK(wrong == 0);
      const auto stored = store_row<uint8_t>(tile_tables()[0].ops, format.dtype, values);
      CHECK(store_row<uint8_t>(ops, format.dtype, values) == stored);
    }
  }
}

TEST_CASE("boxes of any strides are loaded and stored") {
  for (const auto& [name, ops] : tile_tables()) {
    CAPTURE(name);
    std::vector<uint16_t> memory(40 * 50);
    for (size_t i = 0; i < memory.size(); ++i) memory[i] = static_cast<uint16_t>(i << 3);
    for (const bool transposed : {false, true}) {
      const pto_tile tile = {memory.data(), transposed ? 1 : 50, transposed ? 50 : 1, 0, 0, 0};
      std::vector<float> box(19 * 21);
      ops.load(&tile, PTO_F16, 3, 5, 19, 21, box.data());
      std::vector<uint16_t> target(memory.size(), 7);
      const pto_tile copy = {target.data(), tile.row_stride, tile.col_stride, 0, 0, 0};
      ops.store(&copy, PTO_F16, 3, 5, 19, 21, box.data());
      int64_t wrong = 0;
      for (int64_t r = 0; r < 40; ++r) {
        for (int64_t c = 0; c < 40; ++c) {
          const auto at = static_cast<size_t>(r * tile.row_stride + c * tile.col_stride);
          const bool inside = r >= 3 && r < 22 && c >= 5 && c < 26;
          if (inside) wrong += box[static_cast<size_t>((r - 3) * 21 + c - 5)] != widen_f16(memory[at]);
          wrong += target[at] != (inside ? memory[at] : 7);
        }
      }
      CHECK(wrong == 0);
    }
  }
}

TEST_CASE("integers are moved as they are") {
  for (const auto& [name, ops] : tile_tables()) {
    CAPTURE(name);
    std::vector<int32_t> memory = {1, -2, 3, INT32_MIN, 5, 6}, box(4), target(6);
    const pto_tile from = {memory.data(), 3, 1, 0, 0, 0}, to = {target.data(), 3, 1, 0, 0, 0};
    ops.load(&from, PTO_I32, 0, 1, 2, 2, box.data());
    CHECK(box == std::vector<int32_t>{-2, 3, 5, 6});
    ops.store(&to, PTO_I32, 0, 0, 2, 2, box.data());
    CHECK(target == std::vector<int32_t>{-2, 3, 0, 5, 6, 0});
  }
}
