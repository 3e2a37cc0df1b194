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
  CHECK(pto_exp(0.0f) == 1);
  CHECK(pto_exp(-kInf) == 0);
  CHECK(pto_exp(-1000.0f) == 0);
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
  CHECK(pto_rsqrt(0.0f) == kInf);
  CHECK(std::isnan(pto_rsqrt(-1.0f)));
}

TEST_CASE("casts to integers truncate, stop at the ends and make 0 of NaN") {
  CHECK(pto_to<int32_t>(-2.9f) == -2);
  CHECK(pto_to<int32_t>(16777215.0f) == 16777215);
  CHECK(pto_to<int32_t>(3e9f) == INT32_MAX);
  CHECK(pto_to<int32_t>(-3e9f) == INT32_MIN);
  CHECK(pto_to<int32_t>(kNan) == 0);
  CHECK(pto_to<int64_t>(-0x1p40f) == -(int64_t{1} << 40));
  CHECK(pto_to<int64_t>(kInf) == INT64_MAX);
  CHECK(pto_to<int64_t>(-kInf) == INT64_MIN);
  CHECK(pto_to<int64_t>(kNan) == 0);
}

TEST_CASE("log is within 0.82 ulp") {
  const auto exact = [](double x) { return std::log(x); };
  CHECK(worst(pto_log, exact, 1e-38f, 1e38f) < 0.82);
  CHECK(worst(pto_log, exact, 0.5f, 2.0f) < 0.82);
  CHECK(pto_log(1.0f) == 0);
  CHECK(pto_log(0.0f) == -kInf);
  CHECK(pto_log(kInf) == kInf);
  CHECK(pto_log(0x1p-149f) == doctest::Approx(-103.2789));
  CHECK(std::isnan(pto_log(-1.0f)));
  CHECK(std::isnan(pto_log(kNan)));
}

TEST_CASE("sin and cos are within 0.51 ulp, however large the angle") {
  const auto sine = [](double x) { return std::sin(x); };
  const auto cosine = [](double x) { return std::cos(x); };
  for (const float most : {1e-3f, 1.0f, 100.0f, 1e6f, 1.2e6f, 1e15f, 3e38f}) {
    CAPTURE(most);
    CHECK(worst(pto_sin, sine, -most, most) < 0.51);
    CHECK(worst(pto_cos, cosine, -most, most) < 0.51);
  }
  CHECK(pto_sin(16367173.0f * 0x1p72f) ==
        static_cast<float>(std::sin(16367173.0 * 0x1p72)));  // close to a multiple of pi/2
  CHECK(pto_cos(16367173.0f * 0x1p72f) == static_cast<float>(std::cos(16367173.0 * 0x1p72)));
  CHECK(std::signbit(pto_sin(-0.0f)));
  CHECK(pto_cos(0.0f) == 1);
  CHECK(std::isnan(pto_sin(kInf)));
  CHECK(std::isnan(pto_cos(kNan)));
}

TEST_CASE("tanh and erf are within 0.51 ulp") {
  const auto tangent = [](double x) { return std::tanh(x); };
  const auto error = [](double x) { return std::erf(x); };
  for (const float most : {1e-30f, 1e-3f, 0.1f, 1.1f, 5.0f, 100.0f}) {
    CAPTURE(most);
    CHECK(worst(pto_tanh, tangent, -most, most) < 0.51);
    CHECK(worst(pto_erf, error, -most, most) < 0.51);
  }
  using Function = float (*)(float);
  for (Function function : {static_cast<Function>(pto_tanh), static_cast<Function>(pto_erf)}) {
    CHECK(function(kInf) == 1);
    CHECK(function(-kInf) == -1);
    CHECK(std::signbit(function(-0.0f)));
    CHECK(std::isnan(function(kNan)));
  }
}

TEST_CASE("pow is within 0.51 ulp, and has C's corners") {
  std::mt19937 random(1);
  std::uniform_real_distribution<float> exponents(-38, 38), powers(-3, 3);
  double most = 0;
  for (int i = 0; i < 200'000; ++i) {
    const float x = std::pow(10.0f, exponents(random)), y = powers(random);
    const double exact = std::pow(static_cast<double>(x), static_cast<double>(y));
    if (exact < 3e38 && exact > 1.2e-38) most = std::max(most, ulps(pto_pow(x, y), exact));
  }
  CHECK(most < 0.51);
  const float corners[] = {0.0f, -0.0f, 1,           -1,    2,      -2,   0.5f,  -0.5f,
                           3,    -3,    16777217.0f, 1e30f, -1e30f, kInf, -kInf, kNan};
  for (const float x : corners) {
    for (const float y : corners) {
      CAPTURE(x);
      CAPTURE(y);
      const float exact = std::pow(x, y), found = pto_pow(x, y);
      CHECK((std::isnan(exact) ? std::isnan(found) : found == exact && std::signbit(found) == std::signbit(exact)));
    }
  }
}

TEST_CASE("maximum and minimum hand a NaN on") {
  CHECK(pto_maximum(1.0f, 2.0f) == 2);
  CHECK(pto_minimum(1.0f, 2.0f) == 1);
  for (const float x : {1.0f, kInf, kNan}) {
    CHECK(std::isnan(pto_maximum(x, kNan)));
    CHECK(std::isnan(pto_minimum(kNan, x)));
  }
}
