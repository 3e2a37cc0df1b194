// The products of blocks that a matmul is made of: accumulators in registers, the left operand's elements broadcast,
// the right one's widened on the way.
#pragma once

#include "tile/isa/pack.h"

namespace pto {
namespace {

// A block of the left operand: element (i, k) is data[i * step + k].
struct Left {
  const float* data;
  int64_t step;
};

// A block of the right operand: its rows begin `step` elements apart, each with a whole number of vectors.
struct Right {
  const char* data;
  int64_t step;
};

// `to` (Rows x Vectors * kLanes) = `from` (null: zeros) + the product; `step` elements per row.
template <typename Type, int Rows, int Vectors>
void multiply_vectors(int64_t depth, Left a, Right b, const float* from, float* to, int64_t step) {
  constexpr int kVectorBytes = kLanes * Type::kBytes, kLine = 64;
  FloatVector sum[Rows][Vectors] = {};
  if (from) {
#pragma GCC unroll 8
    for (int i = 0; i < Rows; ++i) {
#pragma GCC unroll 8
      for (int j = 0; j < Vectors; ++j) sum[i][j] = load_vector<FloatVector>(from + i * step + j * kLanes);
    }
  }
  const float* left[Rows];
  for (int i = 0; i < Rows; ++i) left[i] = a.data + i * a.step;
  for (int64_t k = 0; k < depth; ++k, b.data += b.step * Type::kBytes) {
    // The tile to the right comes next.
    for (int byte = 0; byte < Vectors * kVectorBytes; byte += kLine) {
      __builtin_prefetch(b.data + Vectors * kVectorBytes + byte, 0, 2);
    }
    FloatVector row[Vectors];
    for (int j = 0; j < Vectors; ++j) row[j] = Type::widen(b.data + j * kVectorBytes);
    for (int i = 0; i < Rows; ++i) {
      const FloatVector value = broadcast(left[i][k]);
      for (int j = 0; j < Vectors; ++j) sum[i][j] = fused_multiply_add(value, row[j], sum[i][j]);
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < Rows; ++i) {
#pragma GCC unroll 8
    for (int j = 0; j < Vectors; ++j) store_vector(to + i * step + j * kLanes, sum[i][j]);
  }
}

// A tile as it is wide for one row or two, whose sums would otherwise wait for each other.
constexpr int kLowRows = 2, kLowVectors = 6;

// Finds the instance of `multiply_vectors`.
template <typename Type, int Rows, int Vectors>
void multiply(int64_t rows, int64_t vectors, int64_t depth, Left a, Right b, const float* from, float* to,
              int64_t step) {
  if constexpr (Rows > 1) {
    if (rows < Rows) return multiply<Type, Rows - 1, Vectors>(rows, vectors, depth, a, b, from, to, step);
  }
  if constexpr (Vectors > 1) {
    if (vectors < Vectors) return multiply<Type, Rows, Vectors - 1>(rows, vectors, depth, a, b, from, to, step);
  }
  multiply_vectors<Type, Rows, Vectors>(depth, a, b, from, to, step);
}

void copy_rows(int64_t rows, int64_t cols, const float* from, int64_t from_step, float* to, int64_t to_step) {
  for (int64_t r = 0; r < rows; ++r) __builtin_memcpy(to + r * to_step, from + r * from_step, cols * sizeof(float));
}

// Like `multiply`, for `cols` columns, which need not fill the last vector.
template <typename Type, int Rows, int Vectors>
void multiply_tile(int64_t rows, int64_t cols, int64_t depth, Left a, Right b, const float* from, float* to,
                   int64_t step) {
  const int64_t vectors = padded(cols) / kLanes;
  if (cols == vectors * kLanes) return multiply<Type, Rows, Vectors>(rows, vectors, depth, a, b, from, to, step);
  constexpr int64_t kStep = Vectors * kLanes;
  float tile[Rows * kStep] = {};
  if (from) copy_rows(rows, cols, from, step, tile, kStep);
  multiply<Type, Rows, Vectors>(rows, vectors, depth, a, b, from ? tile : nullptr, tile, kStep);
  copy_rows(rows, cols, tile, kStep, to, step);
}

// The first of as few parts as possible, none larger than `largest`, that share `count` evenly.
inline int64_t first_share(int64_t count, int64_t largest) {
  const int64_t parts = (count + largest - 1) / largest;
  return (count + parts - 1) / parts;
}

// Like `multiply_tile`, for any number of rows and columns, in tiles of at most Rows and Vectors.
template <typename Type, int Rows, int Vectors>
void multiply_tiles(int64_t rows, int64_t cols, int64_t depth, Left a, Right b, const float* from, float* to,
                    int64_t step) {
  for (int64_t col = 0, width; col < cols; col += width) {
    width = smaller(cols - col, first_share(padded(cols - col) / kLanes, Vectors) * kLanes);
    const Right right = {b.data + col * Type::kBytes, b.step};
    for (int64_t row = 0, height; row < rows; row += height) {
      height = first_share(rows - row, Rows);
      const int64_t corner = row * step + col;
      multiply_tile<Type, Rows, Vectors>(height, width, depth, {a.data + row * a.step, a.step}, right,
                                         from ? from + corner : nullptr, to + corner, step);
    }
  }
}

template <typename Type>
void multiply_block(int64_t rows, int64_t cols, int64_t depth, Left a, Right b, const float* from, float* to,
                    int64_t step) {
  const auto multiply_all =
      rows <= kLowRows ? multiply_tiles<Type, kLowRows, kLowVectors> : multiply_tiles<Type, kTileRows, kTileVectors>;
  multiply_all(rows, cols, depth, a, b, from, to, step);
}

}  // namespace
}  // namespace pto
