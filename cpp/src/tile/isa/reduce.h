// Reductions of a fixed shape: element c of a row goes to lane c mod 64, the lanes meet in a binary tree.
#pragma once

#include "tile/isa/vector.h"

namespace pto {
namespace {

constexpr int kReduceLanes = 64;

struct Sum {
  static constexpr float kIdentity = 0.0f;
  template <typename Value>
  static Value combine(Value a, Value b) {
    return a + b;
  }
};

// A NaN wins.
struct Max {
  static constexpr float kIdentity = -__builtin_inff();
  template <typename Value>
  static Value combine(Value a, Value b) {
    const Value larger = b > a ? b : a;
    return b == b ? larger : b;
  }
};

struct Min {
  static constexpr float kIdentity = __builtin_inff();
  template <typename Value>
  static Value combine(Value a, Value b) {
    const Value smaller = b < a ? b : a;
    return b == b ? smaller : b;
  }
};

template <typename Op>
float reduce_row(int64_t cols, const float* in) {
  float lanes[kReduceLanes];
  FloatVector sum[kReduceLanes / kLanes];
  for (auto& part : sum) part = broadcast(Op::kIdentity);
  int64_t c = 0;
  for (; c + kReduceLanes <= cols; c += kReduceLanes) {
    for (int i = 0; i < kReduceLanes / kLanes; ++i) {
      sum[i] = Op::combine(sum[i], load_vector<FloatVector>(in + c + i * kLanes));
    }
  }
  __builtin_memcpy(lanes, sum, sizeof lanes);
  for (int lane = 0; c < cols; ++c, ++lane) lanes[lane] = Op::combine(lanes[lane], in[c]);
  for (int width = kReduceLanes / 2; width > 0; width /= 2) {
    for (int lane = 0; lane < width; ++lane) lanes[lane] = Op::combine(lanes[lane], lanes[lane + width]);
  }
  return lanes[0];
}

template <typename Op>
void reduce_rows(int64_t rows, int64_t cols, const float* in, float* out) {
  for (int64_t r = 0; r < rows; ++r) out[r] = reduce_row<Op>(cols, in + r * cols);
}

void row_reduce(pto_reduction op, int64_t rows, int64_t cols, const float* in, float* out) {
  const auto reduce = op == PTO_SUM ? reduce_rows<Sum> : op == PTO_MAX ? reduce_rows<Max> : reduce_rows<Min>;
  reduce(rows, cols, in, out);
}

}  // namespace
}  // namespace pto
