// Routines of emitted kernels over whole tiles, for every element type. Values are dense and row-major, as in
// pto_tile_ops; the same bits on every machine.
#ifndef PTO_TILES_H
#define PTO_TILES_H

#include "pto/abi.h"

// ---- Boxes of global memory --------------------------------------------------------------------

// Where the elements of a box are, if they are dense there; else null.
template <typename T>
inline T* pto_dense_box(const pto_tile* tile, int64_t row, int64_t col, int64_t rows, int64_t cols) {
  const bool dense = (tile->row_stride == cols || rows == 1) && (tile->col_stride == 1 || cols == 1);
  const bool aligned = (uintptr_t)tile->data % alignof(T) == 0;
  return tile->data && dense && aligned ? (T*)tile->data + row * tile->row_stride + col * tile->col_stride : nullptr;
}

// The elements of a box: in memory, or a copy in `scratch`.
template <typename T>
inline const T* pto_loaded(pto_call* call, int arg, uint8_t dtype, int64_t row, int64_t col, int64_t rows, int64_t cols,
                           char* scratch) {
  const pto_tile* tile = &call->args[arg];
  if (const T* elements = pto_dense_box<T>(tile, row, col, rows, cols)) return elements;
  call->ops->load(tile, dtype, row, col, rows, cols, scratch);
  return (const T*)scratch;
}

// Where what goes into a box may be written: there, or in `scratch`.
template <typename T>
inline T* pto_place(pto_call* call, int arg, uint8_t, int64_t row, int64_t col, int64_t rows, int64_t cols,
                    char* scratch) {
  T* elements = pto_dense_box<T>(&call->args[arg], row, col, rows, cols);
  return elements ? elements : (T*)scratch;
}

// Stores what was written at a `pto_place`.
template <typename T>
inline void pto_finish(pto_call* call, int arg, uint8_t dtype, int64_t row, int64_t col, int64_t rows, int64_t cols,
                       const T* value) {
  const pto_tile* tile = &call->args[arg];
  if (value != pto_dense_box<T>(tile, row, col, rows, cols)) call->ops->store(tile, dtype, row, col, rows, cols, value);
}

// ---- Reductions --------------------------------------------------------------------------------

struct pto_sum {
  template <typename T>
  static T combine(T a, T b) {
    return (T)(a + b);
  }
};

// A NaN wins.
struct pto_max {
  template <typename T>
  static T combine(T a, T b) {
    const T larger = b > a ? b : a;
    return b == b ? larger : b;
  }
};

struct pto_min {
  template <typename T>
  static T combine(T a, T b) {
    const T smaller = b < a ? b : a;
    return b == b ? smaller : b;
  }
};

// Element c of a row goes to lane c mod 64, the lanes meet in a binary tree: the shape of pto_tile_ops.row_reduce.
template <typename Op, typename T>
inline void pto_reduce_rows(int64_t rows, int64_t cols, const T* in, T* out) {
  constexpr int64_t kLanes = 64;
  for (int64_t r = 0; r < rows; ++r, in += cols) {
    T lanes[kLanes];
    const int64_t filled = cols < kLanes ? cols : kLanes;
    for (int64_t lane = 0; lane < filled; ++lane) lanes[lane] = in[lane];
    int64_t c = kLanes;
    for (; c + kLanes <= cols; c += kLanes) {
      for (int64_t lane = 0; lane < kLanes; ++lane) lanes[lane] = Op::combine(lanes[lane], in[c + lane]);
    }
    for (int64_t lane = 0; c + lane < cols; ++lane) lanes[lane] = Op::combine(lanes[lane], in[c + lane]);
    for (int64_t width = kLanes / 2; width > 0; width /= 2) {
      for (int64_t lane = 0; lane + width < filled && lane < width; ++lane) {
        lanes[lane] = Op::combine(lanes[lane], lanes[lane + width]);
      }
    }
    out[r] = lanes[0];
  }
}

// Row r goes to lane r mod 8, the lanes meet in a binary tree.
template <typename Op, typename T>
inline void pto_reduce_cols(int64_t rows, int64_t cols, const T* in, T* out) {
  constexpr int64_t kLanes = 8, kStrip = 64;
  const int64_t filled = rows < kLanes ? rows : kLanes;
  for (int64_t c0 = 0; c0 < cols; c0 += kStrip) {
    const int64_t strip = cols - c0 < kStrip ? cols - c0 : kStrip;
    T lanes[kLanes][kStrip];
    for (int64_t r = 0; r < rows; ++r) {
      const T* row = in + r * cols + c0;
      T* lane = lanes[r % kLanes];
      if (r < kLanes) {
        for (int64_t c = 0; c < strip; ++c) lane[c] = row[c];
      } else {
        for (int64_t c = 0; c < strip; ++c) lane[c] = Op::combine(lane[c], row[c]);
      }
    }
    for (int64_t width = kLanes / 2; width > 0; width /= 2) {
      for (int64_t lane = 0; lane + width < filled && lane < width; ++lane) {
        for (int64_t c = 0; c < strip; ++c) lanes[lane][c] = Op::combine(lanes[lane][c], lanes[lane + width][c]);
      }
    }
    for (int64_t c = 0; c < strip; ++c) out[c0 + c] = lanes[0][c];
  }
}

// The column of every row's largest element: the first of equal ones; of NaNs, which win, the first.
template <typename T>
inline void pto_argmax(int64_t rows, int64_t cols, const T* in, int32_t* out) {
  for (int64_t r = 0; r < rows; ++r, in += cols) {
    int64_t best = 0;
    for (int64_t c = 1; c < cols && in[best] == in[best]; ++c) {
      if (in[c] > in[best] || in[c] != in[c]) best = c;
    }
    out[r] = (int32_t)best;
  }
}

// Sums from the first element to each: along rows (one after the other, so the order is that of the elements).
template <typename T>
inline void pto_cumsum_rows(int64_t rows, int64_t cols, const T* in, T* out) {
  for (int64_t r = 0; r < rows; ++r, in += cols, out += cols) {
    T sum = in[0];
    out[0] = sum;
    for (int64_t c = 1; c < cols; ++c) out[c] = sum = (T)(sum + in[c]);
  }
}

template <typename T>
inline void pto_cumsum_cols(int64_t rows, int64_t cols, const T* in, T* out) {
  for (int64_t c = 0; c < cols; ++c) out[c] = in[c];
  for (int64_t i = cols; i < rows * cols; ++i) out[i] = (T)(out[i - cols] + in[i]);
}

// ---- Order -------------------------------------------------------------------------------------

// Largest first, of equal ones the lower column.
struct pto_descending {
  template <typename T>
  static bool before(const T* row, int32_t a, int32_t b) {
    return row[a] > row[b] || (row[a] == row[b] && a < b);
  }
};

// Smallest first, of equal ones the lower column.
struct pto_ascending {
  template <typename T>
  static bool before(const T* row, int32_t a, int32_t b) {
    return row[a] < row[b] || (row[a] == row[b] && a < b);
  }
};

// Moves heap[at] down to its place in a heap of `size` columns whose last one in order is on top.
template <typename Order, typename T>
inline void pto_sift_down(const T* row, int32_t* heap, int64_t size, int64_t at) {
  const int32_t moved = heap[at];
  for (int64_t child; (child = 2 * at + 1) < size; at = child) {
    if (child + 1 < size && Order::before(row, heap[child], heap[child + 1])) ++child;
    if (!Order::before(row, moved, heap[child])) break;
    heap[at] = heap[child];
  }
  heap[at] = moved;
}

// The first k of each row in order, and their columns. Answers the first NaN's position, or -1.
template <typename Order, typename T>
inline int64_t pto_topk(int64_t rows, int64_t cols, int64_t k, const T* in, T* values, int32_t* indices) {
  for (int64_t i = 0; i < rows * cols; ++i) {
    if (in[i] != in[i]) return i;
  }
  for (int64_t r = 0; r < rows; ++r, in += cols, values += k, indices += k) {
    for (int64_t i = 0; i < k; ++i) indices[i] = (int32_t)i;
    for (int64_t at = k / 2; at-- > 0;) pto_sift_down<Order>(in, indices, k, at);
    for (int64_t c = k; c < cols; ++c) {
      if (!Order::before(in, (int32_t)c, indices[0])) continue;
      indices[0] = (int32_t)c;
      pto_sift_down<Order>(in, indices, k, 0);
    }
    for (int64_t size = k; size-- > 1;) {
      const int32_t last = indices[0];
      indices[0] = indices[size];
      indices[size] = last;
      pto_sift_down<Order>(in, indices, size, 0);
    }
    for (int64_t i = 0; i < k; ++i) values[i] = in[indices[i]];
  }
  return -1;
}

// ---- Products ----------------------------------------------------------------------------------

// out = a (m x k) times b (k x n), plus acc if given, which may be out itself; integers of 8 bits into 32, which wrap
// around. A transposed operand is stored the other way.
template <typename T>
inline void pto_matmul(int64_t m, int64_t k, int64_t n, const T* a, bool transposed_a, const T* b, bool transposed_b,
                       const int32_t* acc, int32_t* out) {
  const int64_t row = transposed_a ? 1 : k, step = transposed_a ? m : 1;
  for (int64_t i = 0; i < m; ++i, out += n) {
    const T* left = a + i * row;
    for (int64_t j = 0; j < n; ++j) out[j] = acc ? acc[i * n + j] : 0;
    if (transposed_b) {
      for (int64_t j = 0; j < n; ++j) {
        int32_t sum = out[j];
        for (int64_t d = 0; d < k; ++d) sum += (int32_t)left[d * step] * b[j * k + d];
        out[j] = sum;
      }
    } else {
      for (int64_t d = 0; d < k; ++d) {
        const int32_t factor = left[d * step];
        for (int64_t j = 0; j < n; ++j) out[j] += factor * b[d * n + j];
      }
    }
  }
}

// ---- Moves -------------------------------------------------------------------------------------

// out[c][r] = in[r][c], block by block, as both sides are then read and written in short strips.
template <typename T>
inline void pto_transpose(int64_t rows, int64_t cols, const T* in, T* out) {
  constexpr int64_t kBlock = 16;
  for (int64_t r0 = 0; r0 < rows; r0 += kBlock) {
    const int64_t r1 = r0 + kBlock < rows ? r0 + kBlock : rows;
    for (int64_t c0 = 0; c0 < cols; c0 += kBlock) {
      const int64_t c1 = c0 + kBlock < cols ? c0 + kBlock : cols;
      for (int64_t c = c0; c < c1; ++c) {
        for (int64_t r = r0; r < r1; ++r) out[c * rows + r] = in[r * cols + c];
      }
    }
  }
}

// out[r][c] = in[r][indices[r][c]]; answers the first bad index's position, or -1.
template <typename T>
inline int64_t pto_gather(int64_t rows, int64_t cols, int64_t out_cols, const T* in, const int32_t* indices, T* out) {
  for (int64_t r = 0; r < rows; ++r, in += cols) {
    for (int64_t c = 0; c < out_cols; ++c) {
      const int64_t position = r * out_cols + c;
      if (indices[position] < 0 || indices[position] >= cols) return position;
      out[position] = in[indices[position]];
    }
  }
  return -1;
}

// The position of the first of `count` indices that is not in 0 .. size - 1, or -1.
inline int64_t pto_outside(int64_t count, int64_t size, const int32_t* indices) {
  for (int64_t i = 0; i < count; ++i) {
    if (indices[i] < 0 || indices[i] >= size) return i;
  }
  return -1;
}

// out[i] = in[indices[i]], by rows; answers the first bad index's position, or -1.
template <typename T>
inline int64_t pto_gather_rows(int64_t rows, int64_t cols, int64_t count, const T* in, const int32_t* indices, T* out) {
  const int64_t bad = pto_outside(count, rows, indices);
  if (bad >= 0) return bad;
  for (int64_t i = 0; i < count; ++i) __builtin_memcpy(out + i * cols, in + indices[i] * cols, cols * sizeof(T));
  return -1;
}

#endif
