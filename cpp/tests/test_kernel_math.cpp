// The element-wise functions of emitted kernels, against double precision.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <random>

#include "pto/kernel.h"

namespace {

// The distance in units of the last place of a float near `exact`.
double ulps(float value, double exact) {
  const int exponent = std::max(std::ilogb(exact), -126);
  return std::abs(value - exact) / std::ldexp(1.0, exponent - 23);
}

template <typename Exact>
double worst(float (*function)(float), Exact exact, float low, float high) {
  std::mt19937 random(1);
  std::uniform_real_distribution<float> inputs(low, high);
  double most = 0;
  for (int i = 0; i < 200'000; ++i) {
    const float x = inputs(random);
    most = std::max(most, ulps(function(x), exact(static_cast<double>(x))));
  }
  return most;
}

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

}  // namespace

TEST_CASE("exp is within one ulp, subnormal results included") {
  const auto exact = [](double x) { return std::exp(x); };
  CHECK(worst(pto_exp, exact, -103, 88.7f) < 1);
  CHECK(worst(pto_exp, exact, -1, 1) < 1);
  CHECK(pto_exp(0) == 1);
  CHECK(pto_exp(-kInf) == 0);
  CHECK(pto_exp(-1000) == 0);
  CHECK(pto_exp(kInf) == kInf);
  CHECK(pto_exp(88.8f) == kInf);
  CHECK(pto_exp(-103.5f) > 0);
  CHECK(std::isnan(pto_exp(kNan)));
}

TEST_CASE("sigmoid is within 2.5 ulp on both sides of zero") {
  const auto exact = [](double x) { return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x)); };
  CHECK(worst(pto_sigmoid, exact, -100, 100) < 2.5);
  CHECK(worst(pto_sigmoid, exact, -2, 2) < 2.5);
  CHECK(pto_sigmoid(-kInf) == 0);
  CHECK(pto_sigmoid(kInf) == 1);
  CHECK(std::isnan(pto_sigmoid(kNan)));
}

TEST_CASE("rsqrt is within 1.5 ulp") {
  CHECK(worst(pto_rsqrt, [](double x) { return 1 / std::sqrt(x); }, 1e-30f, 1e5f) < 1.5);
  CHECK(pto_rsqrt(0) == kInf);
  CHECK(std::isnan(pto_rsqrt(-1)));
}

TEST_CASE("casts to integers truncate, stop at the ends and make 0 of NaN") {
  CHECK(pto_to_i32(-2.9f) == -2);
  CHECK(pto_to_i32(16777215.0f) == 16777215);
  CHECK(pto_to_i32(3e9f) == INT32_MAX);
  CHECK(pto_to_i32(-3e9f) == INT32_MIN);
  CHECK(pto_to_i32(kNan) == 0);
  CHECK(pto_to_i64(-0x1p40f) == -(int64_t{1} << 40));
  CHECK(pto_to_i64(kInf) == INT64_MAX);
  CHECK(pto_to_i64(-kInf) == INT64_MIN);
  CHECK(pto_to_i64(kNan) == 0);
}
