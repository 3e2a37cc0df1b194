// Blocked matrix product. Whatever the blocking, an element of the result is one chain of fused multiply-adds over k,
// in order, in float: partial sums that go through memory are not rounded by that.
#pragma once

#include "tile/isa/pack.h"
#include "tile/workspace.h"

namespace pto {
namespace {

inline int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

// `to` (Rows x Vectors * kLanes) = `from` (null: zeros) + the product of two packed panels; `step` elements per row.
template <int Rows, int Vectors>
void multiply_panels(int64_t depth, const float* a, const float* b, const float* from, float* to, int64_t step) {
  FloatVector sum[Rows][Vectors] = {};
  if (from) {
    for (int i = 0; i < Rows; ++i) {
      for (int j = 0; j < Vectors; ++j) sum[i][j] = load_vector<FloatVector>(from + i * step + j * kLanes);
    }
  }
  for (int64_t k = 0; k < depth; ++k, a += Rows, b += Vectors * kLanes) {
    FloatVector row[Vectors];
    for (int j = 0; j < Vectors; ++j) row[j] = load_vector<FloatVector>(b + j * kLanes);
    for (int i = 0; i < Rows; ++i) {
      const FloatVector left = broadcast(a[i]);
      for (int j = 0; j < Vectors; ++j) sum[i][j] = fused_multiply_add(left, row[j], sum[i][j]);
    }
  }
  for (int i = 0; i < Rows; ++i) {
    for (int j = 0; j < Vectors; ++j) store_vector(to + i * step + j * kLanes, sum[i][j]);
  }
}

// Finds the instance of `multiply_panels`.
template <int Rows = kTileRows, int Vectors = kTileVectors>
void multiply(int64_t rows, int64_t vectors, int64_t depth, const float* a, const float* b, const float* from,
              float* to, int64_t step) {
  if constexpr (Rows > 1) {
    if (rows < Rows) return multiply<Rows - 1, Vectors>(rows, vectors, depth, a, b, from, to, step);
  }
  if constexpr (Vectors > 1) {
    if (vectors < Vectors) return multiply<Rows, Vectors - 1>(rows, vectors, depth, a, b, from, to, step);
  }
  multiply_panels<Rows, Vectors>(depth, a, b, from, to, step);
}

void copy_rows(int64_t rows, int64_t cols, const float* from, int64_t from_step, float* to, int64_t to_step) {
  for (int64_t r = 0; r < rows; ++r) __builtin_memcpy(to + r * to_step, from + r * from_step, cols * sizeof(float));
}

// Like `multiply`, for `cols` columns, which need not fill the last vector.
void multiply_tile(int64_t rows, int64_t cols, int64_t depth, const float* a, const float* b, const float* from,
                   float* to, int64_t step) {
  const int64_t vectors = (cols + kLanes - 1) / kLanes;
  if (cols == vectors * kLanes) return multiply(rows, vectors, depth, a, b, from, to, step);
  float tile[kTileRows * kTileCols] = {};
  if (from) copy_rows(rows, cols, from, step, tile, kTileCols);
  multiply(rows, vectors, depth, a, b, from ? tile : nullptr, tile, kTileCols);
  copy_rows(rows, cols, tile, kTileCols, to, step);
}

// The operand as (k x other) matrix: of the left one, its transpose.
Source operand_source(const pto_operand& operand, int64_t k, int64_t other, bool left) {
  const bool stored_as_k_rows = left == (operand.transposed != 0);
  Source source = {};
  if (operand.value) {
    source = {(const char*)operand.value, PTO_F32, stored_as_k_rows ? other : k, 1, 0, 0, 0};
  } else {
    const pto_tile& tile = *operand.tile;
    const int64_t corner = operand.row * tile.row_stride + operand.col * tile.col_stride;
    const int64_t bytes = operand.dtype == PTO_F32 ? 4 : operand.dtype == PTO_F16 || operand.dtype == PTO_BF16 ? 2 : 1;
    source = {tile.data ? (const char*)tile.data + corner * bytes : nullptr,
              operand.dtype,
              tile.row_stride,
              tile.col_stride,
              tile.first + corner,
              tile.key,
              tile.scale};
  }
  if (!stored_as_k_rows) {
    const int64_t step = source.row_step;
    source.row_step = source.col_step;
    source.col_step = step;
  }
  return source;
}

constexpr Panels kPanelsA = {kTileRows, 1};
constexpr Panels kPanelsB = {kTileCols, kLanes};

class Product {
 public:
  Product(MatmulWorkspace& space, int64_t m, int64_t k, int64_t n, const Source& a, const Source& b)
      : space_(space), m_(m), k_(k), n_(n), a_(a), b_(b), pack_a_(pack_for(a)), pack_b_(pack_for(b)) {}

  void run(const float* acc, float* value) const {
    for (int64_t row = 0; row < m_; row += kRowBlock) {
      const int64_t rows = smaller(kRowBlock, m_ - row);
      for (int64_t k = 0; k < k_; k += depth_) {
        run_slice(row, rows, k, smaller(depth_, k_ - k), k == 0 ? acc : value, value);
      }
    }
  }

 private:
  // All columns of `rows` rows, for one block of k.
  void run_slice(int64_t row, int64_t rows, int64_t k, int64_t depth, const float* from, float* to) const {
    pack_a_(a_, {k, depth, row, rows}, kPanelsA, space_.a);
    // Generated panels stay in the first-level cache; those from memory want long strips of its rows.
    const int64_t block = b_.data ? kDepth / depth_ * kColBlock : kTileCols;
    for (int64_t col = 0; col < n_; col += block) {
      const int64_t cols = smaller(block, n_ - col), corner = row * n_ + col;
      pack_b_(b_, {k, depth, col, cols}, kPanelsB, space_.b);
      multiply_block(rows, cols, depth, from ? from + corner : nullptr, to + corner);
    }
  }

  void multiply_block(int64_t rows, int64_t cols, int64_t depth, const float* from, float* to) const {
    for (int64_t c = 0; c < cols; c += kTileCols) {
      for (int64_t r = 0; r < rows; r += kTileRows) {
        const int64_t corner = r * n_ + c;
        multiply_tile(smaller(kTileRows, rows - r), smaller(kTileCols, cols - c), depth, space_.a + r * depth,
                      space_.b + c * depth, from ? from + corner : nullptr, to + corner, n_);
      }
    }
  }

  MatmulWorkspace& space_;
  const int64_t m_, k_, n_;
  const Source &a_, &b_;
  // With few rows, what limits is how fast b comes from memory: longer strips of fewer of its rows.
  const int64_t depth_ = b_.data && m_ <= kFewRows ? kShallow : kDepth;
  const Pack pack_a_, pack_b_;
};

void matmul(void* worker, int64_t m, int64_t k, int64_t n, const pto_operand* a, const pto_operand* b, const float* acc,
            float* value) {
  const Source left = operand_source(*a, k, m, true), right = operand_source(*b, k, n, false);
  Product(*(MatmulWorkspace*)worker, m, k, n, left, right).run(acc, value);
}

}  // namespace
}  // namespace pto
