// Reductions, top-k and gather.
#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

#include "pto/tiles.h"
#include "tile_reference.h"

namespace {

using namespace pto::test;

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

std::vector<float> random_row(size_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> values(-1, 1);
  std::vector<float> row(count);
  for (float& value : row) value = values(random);
  return row;
}

float reduce(const pto_tile_ops& ops, pto_reduction op, const std::vector<float>& row) {
  float result = 0;
  ops.row_reduce(op, 1, static_cast<int64_t>(row.size()), row.data(), &result);
  return result;
}

// 64 lanes, then a tree.
float sum_in_shape(const std::vector<float>& row) {
  std::vector<float> lanes(64);
  for (size_t i = 0; i < row.size(); ++i) lanes[i % 64] += row[i];
  for (size_t width = 32; width > 0; width /= 2) {
    for (size_t i = 0; i < width; ++i) lanes[i] += lanes[i + width];
  }
  return lanes[0];
}

struct Chosen {
  std::vector<float> values;
  std::vector<int32_t> indices;
};

Chosen topk(const std::vector<float>& row, size_t k) {
  Chosen chosen{std::vector<float>(k), std::vector<int32_t>(k)};
  pto_topk<pto_descending>(1, static_cast<int64_t>(row.size()), static_cast<int64_t>(k), row.data(),
                           chosen.values.data(), chosen.indices.data());
  return chosen;
}

}  // namespace

TEST_CASE("a row sum has one shape on every machine, whatever the width") {
  for (const auto& [name, ops] : tile_tables()) {
    CAPTURE(name);
    for (const size_t cols : {1, 2, 63, 64, 65, 127, 128, 200, 1000, 4096}) {
      CAPTURE(cols);
      const auto row = random_row(cols, static_cast<uint32_t>(cols));
      CHECK(bits(reduce(ops, PTO_SUM, row)) == bits(sum_in_shape(row)));
      const double exact = std::accumulate(row.begin(), row.end(), 0.0);
      CHECK(std::abs(reduce(ops, PTO_SUM, row) - exact) < 1e-4);
    }
  }
}

TEST_CASE("a row maximum finds the largest, and a NaN anywhere") {
  for (const auto& [name, ops] : tile_tables()) {
    CAPTURE(name);
    for (const size_t cols : {1, 64, 65, 300}) {
      auto row = random_row(cols, 3);
      CHECK(reduce(ops, PTO_MAX, row) == *std::max_element(row.begin(), row.end()));
      for (const size_t place : {size_t{0}, cols / 2, cols - 1}) {
        auto spoilt = row;
        spoilt[place] = kNan;
        CHECK(std::isnan(reduce(ops, PTO_MAX, spoilt)));
      }
    }
    CHECK(reduce(ops, PTO_MAX, {-kInf, -kInf}) == -kInf);
  }
}

TEST_CASE("rows are reduced one by one") {
  const std::vector<float> values = {1, 2, 3, 4, 5, 6};
  for (const auto& [name, ops] : tile_tables()) {
    std::vector<float> out(2);
    ops.row_reduce(PTO_SUM, 2, 3, values.data(), out.data());
    CHECK(out == std::vector<float>{6, 15});
  }
}

TEST_CASE("top-k: largest first, ties to the lower index, NaN above all") {
  CHECK(topk({1, 5, 3, 5, 2}, 3).indices == std::vector<int32_t>{1, 3, 2});
  CHECK(topk({1, 5, 3, 5, 2}, 3).values == std::vector<float>{5, 5, 3});
  CHECK(topk({0, 0, 0, 0}, 2).indices == std::vector<int32_t>{0, 1});
  const float row[] = {kInf, 1, 2, kNan};
  float values[1];
  int32_t index[1];
  CHECK(pto_topk<pto_descending>(2, 2, 1, row, values, index) == 3);
  CHECK(topk({-kInf, -kInf, -kInf}, 3).indices == std::vector<int32_t>{0, 1, 2});
}

TEST_CASE("top-k is the beginning of a stable sort") {
  for (uint32_t seed = 0; seed < 50; ++seed) {
    auto row = random_row(200, seed);
    for (float& value : row) value = std::round(value * 20);  // many ties
    std::vector<int32_t> order(row.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [&](int32_t a, int32_t b) { return row[static_cast<size_t>(a)] > row[static_cast<size_t>(b)]; });
    order.resize(1 + seed % 40);
    CHECK(topk(row, order.size()).indices == order);
  }
}

TEST_CASE("gather picks by column and finds the first bad index") {
  const std::vector<float> in = {1, 2, 3, 4, 5, 6};
  std::vector<float> out(4);
  const std::vector<int32_t> good = {2, 0, 1, 1};
  CHECK(pto_gather(2, 3, 2, in.data(), good.data(), out.data()) == -1);
  CHECK(out == std::vector<float>{3, 1, 5, 5});
  const std::vector<int32_t> high = {2, 0, 3, -1}, negative = {0, -1, 0, 0};
  CHECK(pto_gather(2, 3, 2, in.data(), high.data(), out.data()) == 2);
  CHECK(pto_gather(2, 3, 2, in.data(), negative.data(), out.data()) == 1);
}
