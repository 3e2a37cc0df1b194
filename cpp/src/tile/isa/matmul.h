// Blocked matrix product. Whatever the blocking, an element of the result is one chain of fused multiply-adds over k,
// in order, in float: partial sums that go through memory are not rounded by that.
#pragma once

#include "tile/isa/multiply.h"
#include "tile/workspace.h"

namespace pto {
namespace {

inline int64_t dtype_bytes(uint8_t dtype) {
  return dtype == PTO_F32 ? 4 : dtype == PTO_F16 || dtype == PTO_BF16 ? 2 : 1;
}

Source operand_source(const pto_operand& operand, int64_t rows, int64_t cols) {
  Source source = {};
  if (operand.value) {
    source = {(const char*)operand.value, PTO_F32, operand.transposed ? rows : cols, 1, 0, 0, 0};
  } else {
    const pto_tile& tile = *operand.tile;
    const int64_t corner = operand.row * tile.row_stride + operand.col * tile.col_stride;
    source = {tile.data ? (const char*)tile.data + corner * dtype_bytes(operand.dtype) : nullptr,
              operand.dtype,
              tile.row_stride,
              tile.col_stride,
              tile.first + corner,
              tile.key,
              tile.scale};
  }
  if (operand.transposed) {
    const int64_t step = source.row_step;
    source.row_step = source.col_step;
    source.col_step = step;
  }
  return source;
}

typedef void (*MultiplyBlock)(int64_t, int64_t, int64_t, Left, Right, const float*, float*, int64_t);

// Null for a right operand that has to be packed, since its rows are no strips.
MultiplyBlock multiply_in_place(const Source& b) {
  if (!b.data || b.col_step != 1) return nullptr;
  switch (b.dtype) {
    case PTO_F32:
      return multiply_block<F32>;
    case PTO_F16:
      return multiply_block<F16>;
    case PTO_BF16:
      return multiply_block<BF16>;
    case PTO_F8E4M3:
      return multiply_block<F8E4M3>;
    default:
      return multiply_block<F8E5M2>;
  }
}

class Product {
 public:
  Product(MatmulWorkspace& space, int64_t m, int64_t k, int64_t n, const Source& a, const Source& b)
      : space_(space), m_(m), k_(k), n_(n), a_(a), b_(b) {}

  void run(const float* acc, float* value) const {
    for (int64_t row = 0; row < m_; row += kRowBlock) {
      const int64_t rows = smaller(kRowBlock, m_ - row), corner = row * n_;
      for (int64_t k = 0; k < k_; k += depth_) {
        const float* from = k == 0 ? acc : value;
        run_slice(row, rows, k, smaller(depth_, k_ - k), from ? from + corner : nullptr, value + corner);
      }
    }
  }

 private:
  // All columns of `rows` rows, for one block of k.
  void run_slice(int64_t row, int64_t rows, int64_t k, int64_t depth, const float* from, float* to) const {
    const Left left = left_block(row, rows, k, depth);
    if (cols_in_place_ > 0) {
      const Right right = {b_.data + k * b_.row_step * dtype_bytes(b_.dtype), b_.row_step};
      in_place_(rows, cols_in_place_, depth, left, right, from, to, n_);
    }
    for (int64_t col = cols_in_place_; col < n_; col += block_) {
      const int64_t cols = smaller(block_, n_ - col);
      pack_b_(b_, {k, depth, col, cols}, space_.b);
      const Right right = {(const char*)space_.b, padded(cols)};
      multiply_block<F32>(rows, cols, depth, left, right, from ? from + col : nullptr, to + col, n_);
    }
  }

  Left left_block(int64_t row, int64_t rows, int64_t k, int64_t depth) const {
    if (a_.data && a_.dtype == PTO_F32 && a_.col_step == 1) {
      return {(const float*)a_.data + row * a_.row_step + k, a_.row_step};
    }
    pack_a_(a_, {row, rows, k, depth}, space_.a);
    return {space_.a, padded(depth)};
  }

  // A right operand stays where it is if packing would not pay: few tiles of rows need it, or it fits into the cache.
  // Bytes take long to widen.
  bool is_read_in_place() const {
    const int64_t rows = (dtype_bytes(b_.dtype) == 1 ? 1 : kFewTiles) * kTileRows;
    return in_place_ && (m_ <= rows || (b_.dtype == PTO_F32 && k_ * n_ <= kFewElements));
  }

  bool is_streamed() const { return cols_in_place_ > 0 && m_ <= kTileRows && k_ * n_ > kManyElements; }

  MatmulWorkspace& space_;
  const int64_t m_, k_, n_;
  const Source &a_, &b_;
  const Pack pack_a_ = pack_for(a_), pack_b_ = pack_for(b_);
  const MultiplyBlock in_place_ = multiply_in_place(b_);
  const int64_t cols_in_place_ = is_read_in_place() ? n_ / kLanes * kLanes : 0;
  // What is generated stays in the first-level cache; memory likes long strips.
  const int64_t depth_ = is_streamed() ? kStreamedDepth : b_.data ? kDepth : kGeneratedDepth;
  const int64_t block_ = b_.data ? kColBlock : kGeneratedCols;
};

void matmul(void* worker, int64_t m, int64_t k, int64_t n, const pto_operand* a, const pto_operand* b, const float* acc,
            float* value) {
  const Source left = operand_source(*a, m, k), right = operand_source(*b, k, n);
  Product(*(MatmulWorkspace*)worker, m, k, n, left, right).run(acc, value);
}

}  // namespace
}  // namespace pto
