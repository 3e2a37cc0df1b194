// Procedural tensors: the same values however they are read, uniform, exact in their dtype.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "pto/tile_ops.h"
#include "tile_reference.h"

namespace {

using namespace pto::test;

const uint64_t kKey = pto::random_key(7, "gate");

std::vector<float> load(const pto_tile_ops& ops, pto_dtype dtype, const pto_tile& tile, int64_t rows, int64_t cols) {
  std::vector<float> values(static_cast<size_t>(rows * cols));
  ops.load(&tile, dtype, 0, 0, rows, cols, values.data());
  return values;
}

std::vector<float> fill(uint64_t key, float scale, uint64_t first, size_t count) {
  std::vector<float> values(count);
  pto::fill_random(PTO_F32, key, scale, first, static_cast<int64_t>(count), values.data());
  return values;
}

double correlation(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * b[i];
  return 3 * sum / static_cast<double>(a.size());  // the variance of each is 1/3
}

}  // namespace

TEST_CASE("an element is a function of its index, however a tile lies") {
  for (const auto& [name, ops] : tile_tables()) {
    CAPTURE(name);
    // The last tile crosses a change of the index's upper half.
    for (const uint64_t first : {uint64_t{0}, uint64_t{12345}, (uint64_t{5} << 32) - 700}) {
      const auto expected = bits(fill(kKey, 0.5f, first, 40 * 40));
      const pto_tile dense = {nullptr, 40, 1, first, kKey, 0.5f}, turned = {nullptr, 1, 40, first, kKey, 0.5f};
      CHECK(bits(load(ops, PTO_F32, dense, 40, 40)) == expected);
      const auto transposed = load(ops, PTO_F32, turned, 40, 40);
      int64_t wrong = 0;
      for (size_t r = 0; r < 40; ++r) {
        for (size_t c = 0; c < 40; ++c) wrong += bits(transposed[c * 40 + r]) != expected[r * 40 + c];
      }
      CHECK(wrong == 0);
    }
  }
}

TEST_CASE("an element of low precision is the f32 element, rounded") {
  for (const auto& [name, ops] : tile_tables()) {
    CAPTURE(name);
    const pto_tile tile = {nullptr, 4096, 1, 99, kKey, 0.0156f};
    const auto exact = load(ops, PTO_F32, tile, 1, 4096);
    const auto f16 = load(ops, PTO_F16, tile, 1, 4096), bf16 = load(ops, PTO_BF16, tile, 1, 4096);
    int64_t wrong = 0;
    for (size_t i = 0; i < exact.size(); ++i) {
      wrong += bits(f16[i]) != bits(round_f16(exact[i])) || bits(bf16[i]) != bits(round_bf16(exact[i]));
    }
    CHECK(wrong == 0);
  }
}

TEST_CASE("an f64 element is the f32 element with more bits, on every machine") {
  for (const auto& [name, ops] : tile_tables()) {
    CAPTURE(name);
    for (const uint64_t first : {uint64_t{99}, (uint64_t{5} << 32) - 700}) {
      std::vector<double> expected(40 * 40), turned(40 * 40);
      pto::fill_random(PTO_F64, kKey, 0.75f, first, 40 * 40, expected.data());
      const auto narrow = fill(kKey, 0.75f, first, 40 * 40);
      const pto_tile tile = {nullptr, 1, 40, first, kKey, 0.75f};
      ops.load(&tile, PTO_F64, 0, 0, 40, 40, turned.data());
      int64_t wrong = 0, rough = 0;
      for (size_t i = 0; i < 1600; ++i) {
        wrong += turned[i % 40 * 40 + i / 40] != expected[i];
        rough += std::abs(expected[i] - static_cast<double>(narrow[i])) > 0.75 * 0x1p-23;
      }
      CHECK(wrong == 0);
      CHECK(rough == 0);
    }
  }
}

TEST_CASE("known values: they never change, on any machine") {
  const auto values = fill(pto::random_key(0, "x"), 1, 0, 4);
  CHECK(values == std::vector<float>{0x1.37d0b8p-3f, -0x1.c1184p-6f, 0x1.dc333p-4f, 0x1.0a0b66p-1f});
  std::vector<uint16_t> halves(2);
  pto::fill_random(PTO_F16, pto::random_key(0, "x"), 1, 2, 2, halves.data());
  CHECK(widen_f16(halves[0]) == round_f16(values[2]));
  CHECK(widen_f16(halves[1]) == round_f16(values[3]));
}

TEST_CASE("elements are uniform in (-scale, scale)") {
  constexpr size_t kCount = 1 << 20;
  const auto values = fill(kKey, 2, 0, kCount);
  double sum = 0, squares = 0;
  std::vector<int64_t> histogram(64);
  REQUIRE(std::ranges::all_of(values, [](float value) { return std::abs(value) < 2; }));
  for (const float value : values) {
    sum += value;
    squares += static_cast<double>(value) * value;
    ++histogram[static_cast<size_t>((value + 2) * 16)];
  }
  // Within five standard deviations.
  CHECK(std::abs(sum / kCount) < 5 * 2 / std::sqrt(3.0 * kCount));
  CHECK(std::abs(squares / kCount - 4.0 / 3) < 5 * 4 * std::sqrt(4.0 / 45 / kCount));
  double chi_square = 0;
  for (const int64_t hits : histogram) chi_square += std::pow(static_cast<double>(hits) - kCount / 64.0, 2);
  chi_square /= kCount / 64.0;
  CHECK(chi_square > 63 - 5 * std::sqrt(126.0));
  CHECK(chi_square < 63 + 5 * std::sqrt(126.0));
}

TEST_CASE("neighbours, seeds, names and far parts of a tensor are unrelated") {
  constexpr size_t kCount = 1 << 18;
  const double bound = 5 / std::sqrt(static_cast<double>(kCount));
  const auto values = fill(kKey, 1, 0, kCount);
  const auto related = [&](uint64_t key, uint64_t first) {
    return std::abs(correlation(values, fill(key, 1, first, kCount))) >= bound;
  };
  CHECK_FALSE(related(pto::random_key(8, "gate"), 0));
  CHECK_FALSE(related(pto::random_key(7, "gatf"), 0));
  CHECK_FALSE(related(kKey, uint64_t{1} << 32));
  for (const uint64_t lag : {1, 2, 64, 1536, 4096}) CHECK_FALSE(related(kKey, lag));
}
