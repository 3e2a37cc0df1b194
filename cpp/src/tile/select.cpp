#include "tile/select.h"

#include <algorithm>

namespace pto {

// A heap of the best k so far, its worst on top.
int64_t topk(int64_t rows, int64_t cols, int64_t k, const float* in, float* values, int32_t* indices) {
  const auto* nan = std::find_if(in, in + rows * cols, [](float x) { return x != x; });
  if (nan != in + rows * cols) return nan - in;
  for (int64_t r = 0; r < rows; ++r, in += cols, values += k, indices += k) {
    const auto before = [in](int32_t a, int32_t b) { return in[a] > in[b] || (in[a] == in[b] && a < b); };
    for (int32_t i = 0; i < k; ++i) indices[i] = i;
    std::make_heap(indices, indices + k, before);
    for (int32_t c = static_cast<int32_t>(k); c < cols; ++c) {
      if (!before(c, indices[0])) continue;
      std::pop_heap(indices, indices + k, before);
      indices[k - 1] = c;
      std::push_heap(indices, indices + k, before);
    }
    std::sort_heap(indices, indices + k, before);
    for (int64_t i = 0; i < k; ++i) values[i] = in[indices[i]];
  }
  return -1;
}

int64_t gather(int64_t rows, int64_t cols, int64_t out_cols, const float* in, const int32_t* indices, float* out) {
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < out_cols; ++c) {
      const int64_t position = r * out_cols + c;
      if (indices[position] < 0 || indices[position] >= cols) return position;
      out[position] = in[r * cols + indices[position]];
    }
  }
  return -1;
}

}  // namespace pto
