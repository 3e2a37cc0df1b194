// Synthetic routing: its shape, its reproducibility, and the load skews that are published for it.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <vector>

#include "program/zipf.h"
#include "pto/error.h"

namespace {

constexpr int64_t kTokens = 256, kExperts = 256, kTopK = 8;

pto_tensor routing(double exponent, uint64_t seed, int64_t groups = 8, int64_t kept = 4) {
  pto_tensor tensor{};
  tensor.name = "chosen";
  tensor.location = "layer.py:5";
  tensor.dtype = PTO_I32;
  tensor.source = PTO_SOURCE_ZIPF;
  tensor.rank = 3;
  tensor.extent[0] = 1;
  tensor.extent[1] = kTokens;
  tensor.extent[2] = kTopK;
  tensor.seed = seed;
  tensor.parameter = exponent;
  tensor.zipf_values = kExperts;
  tensor.zipf_groups = groups;
  tensor.zipf_kept_groups = kept;
  return tensor;
}

std::vector<int64_t> all(const pto_tensor& tensor) {
  std::vector<int64_t> values(kTokens * kTopK);
  pto::ZipfRouting(tensor).read({0, 3, {0, 0, 0}, {1, kTokens, kTopK}}, values.data());
  return values;
}

// The busiest expert's tokens over the mean, averaged over seeds.
double skew(double exponent) {
  constexpr int kSeeds = 12;
  double sum = 0;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    std::vector<int> load(kExperts);
    for (int64_t expert : all(routing(exponent, seed))) ++load[static_cast<size_t>(expert)];
    sum += *std::max_element(load.begin(), load.end()) / (static_cast<double>(kTokens * kTopK) / kExperts);
  }
  return sum / kSeeds;
}

}  // namespace

TEST_CASE("a row holds distinct values out of the kept groups") {
  const auto values = all(routing(0.8, 3));
  for (size_t token = 0; token < kTokens; ++token) {
    const std::set<int64_t> row(values.begin() + static_cast<long>(token) * kTopK,
                                values.begin() + static_cast<long>(token + 1) * kTopK);
    CHECK(row.size() == kTopK);
    CHECK(*row.begin() >= 0);
    CHECK(*row.rbegin() < kExperts);
    std::set<int64_t> groups;
    for (int64_t expert : row) groups.insert(expert / (kExperts / 8));
    CHECK(groups.size() <= 4);
  }
}

TEST_CASE("an element depends on seed and row alone, not on the box that is read") {
  const pto_tensor tensor = routing(0.8, 7);
  const auto values = all(tensor);
  CHECK(values == all(tensor));
  CHECK(values != all(routing(0.8, 8)));
  int64_t part[6];
  pto::ZipfRouting(tensor).read({0, 3, {0, 100, 2}, {1, 2, 3}}, part);
  for (size_t i = 0; i < 3; ++i) {
    CHECK(part[i] == values[100 * kTopK + 2 + i]);
    CHECK(part[3 + i] == values[101 * kTopK + 2 + i]);
  }
}

TEST_CASE("load skews are the published ones") {
  CHECK(skew(0.0) == doctest::Approx(2).epsilon(0.25));
  CHECK(skew(0.5) == doctest::Approx(7.5).epsilon(0.2));
  CHECK(skew(0.8) == doctest::Approx(17).epsilon(0.2));
  CHECK(skew(1.2) == doctest::Approx(28).epsilon(0.2));
}

TEST_CASE("routing that cannot be drawn names its tensor") {
  for (const pto_tensor& bad : {routing(0.8, 0, 7, 4), routing(0.8, 0, 8, 9), routing(0.8, 0, 64, 1), routing(-1.0, 0),
                                routing(0.8, 0, 0, 1)}) {
    try {
      const pto::ZipfRouting refused(bad);
      FAIL("accepted");
    } catch (const pto::ExecutionError& error) {
      CHECK(std::string(error.what()).find("layer.py:5: tensor 'chosen'") == 0);
    }
  }
}
