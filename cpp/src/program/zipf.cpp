#include "program/zipf.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>

#include "pto/error.h"

namespace pto {
namespace {

constexpr double kDropped = -std::numeric_limits<double>::infinity();

uint64_t splitmix64(uint64_t x) {
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

// The natural logarithm from +, *, / alone: the system's differs between processors in the last bit.
double ln(double x) {
  int exponent = 0;
  double mantissa = std::frexp(x, &exponent);
  if (mantissa < 0.7071067811865476) {
    mantissa *= 2;
    --exponent;
  }
  const double t = (mantissa - 1) / (mantissa + 1);
  const double square = t * t;
  double sum = 0;
  for (int n = 23; n >= 1; n -= 2) sum = sum * square + 1.0 / n;
  return 2 * t * sum + exponent * 0.6931471805599453;
}

// -ln(-ln(u)) for a u in (0, 1) made from 53 bits.
double gumbel(uint64_t bits) {
  const double u = (static_cast<double>(bits >> 11) + 0.5) * 0x1p-53;
  return -ln(-ln(u));
}

void check(const pto_tensor& tensor, int64_t chosen) {
  const int64_t values = tensor.zipf_values, groups = tensor.zipf_groups, kept = tensor.zipf_kept_groups;
  const bool possible = tensor.rank >= 1 && values >= 1 && groups >= 1 && values % groups == 0 && kept >= 1 &&
                        kept <= groups && chosen <= values / groups * kept && tensor.parameter >= 0 &&
                        std::isfinite(tensor.parameter);
  if (!possible) {
    throw ExecutionError(std::string(tensor.location) + ": tensor '" + tensor.name + "': rows of " +
                         std::to_string(chosen) + " distinct values below " + std::to_string(values) + ", out of " +
                         std::to_string(kept) + " of " + std::to_string(groups) +
                         " equal groups, cannot be drawn; change its routing");
  }
}

}  // namespace

ZipfRouting::ZipfRouting(const pto_tensor& tensor)
    : tensor_(tensor), chosen_(tensor.rank ? tensor.extent[tensor.rank - 1] : 0) {
  check(tensor, chosen_);
  const auto count = static_cast<size_t>(tensor.zipf_values);
  std::vector<size_t> rank(count);
  std::iota(rank.begin(), rank.end(), size_t{0});
  const uint64_t key = splitmix64(tensor.seed);
  for (size_t i = count - 1; i > 0; --i) std::swap(rank[i], rank[splitmix64(key + i) % (i + 1)]);
  for (size_t v = 0; v < count; ++v) {
    popularity_.push_back(-tensor.parameter * ln(1.0 + static_cast<double>(rank[v])));
  }
}

std::vector<double> ZipfRouting::noisy_scores(int64_t index) const {
  // A second mix keeps the rows' streams apart from each other and from the shuffle.
  const uint64_t key = splitmix64(splitmix64(~tensor_.seed) ^ splitmix64(static_cast<uint64_t>(index)));
  std::vector<double> scores = popularity_;
  for (size_t v = 0; v < scores.size(); ++v) scores[v] += gumbel(splitmix64(key + v));
  return scores;
}

void ZipfRouting::drop_weak_groups(std::vector<double>& scores) const {
  const auto width = static_cast<std::ptrdiff_t>(tensor_.zipf_values / tensor_.zipf_groups);
  std::vector<std::pair<double, std::ptrdiff_t>> groups;  // (-strength, group): the best first, ties to the lower
  for (std::ptrdiff_t g = 0; g < tensor_.zipf_groups; ++g) {
    std::vector<double> best(scores.begin() + g * width, scores.begin() + (g + 1) * width);
    const auto two = best.begin() + std::min<std::ptrdiff_t>(2, width);
    std::partial_sort(best.begin(), two, best.end(), std::greater<>());
    groups.emplace_back(-std::accumulate(best.begin(), two, 0.0), g);
  }
  std::sort(groups.begin(), groups.end());
  for (auto weak = groups.begin() + tensor_.zipf_kept_groups; weak != groups.end(); ++weak) {
    std::fill_n(scores.begin() + weak->second * width, width, kDropped);
  }
}

void ZipfRouting::row(int64_t index, int64_t* values) const {
  std::vector<double> scores = noisy_scores(index);
  if (tensor_.zipf_kept_groups < tensor_.zipf_groups) drop_weak_groups(scores);
  std::vector<int64_t> order(scores.size());
  std::iota(order.begin(), order.end(), int64_t{0});
  std::partial_sort(order.begin(), order.begin() + chosen_, order.end(), [&scores](int64_t a, int64_t b) {
    const double left = scores[static_cast<size_t>(a)], right = scores[static_cast<size_t>(b)];
    return left > right || (left == right && a < b);
  });
  std::copy_n(order.begin(), chosen_, values);
}

void ZipfRouting::read(const pto_region& region, int64_t* values) const {
  const uint32_t last = region.rank - 1;
  int64_t rows = 1;
  for (uint32_t d = 0; d < last; ++d) rows *= region.extent[d];
  std::vector<int64_t> whole(static_cast<size_t>(chosen_));
  for (int64_t r = 0; r < rows; ++r) {
    int64_t index = 0, stride = 1, left = r;
    for (uint32_t d = last; d-- > 0;) {
      index += (region.offset[d] + left % region.extent[d]) * stride;
      left /= region.extent[d];
      stride *= tensor_.extent[d];
    }
    row(index, whole.data());
    values = std::copy_n(whole.begin() + region.offset[last], region.extent[last], values);
  }
}

}  // namespace pto
