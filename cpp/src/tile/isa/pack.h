// Packs a matmul's operands: into rows of floats, dense, each beginning with a whole vector.
#pragma once

#include "tile/isa/reader.h"
#include "tile/isa/transpose.h"

namespace pto {
namespace {

// A box of a source: `rows` rows from `row` on, `cols` columns from `col` on.
struct Box {
  int64_t row, rows, col, cols;
};

inline int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

inline int64_t padded(int64_t count) { return (count + kLanes - 1) / kLanes * kLanes; }

inline int64_t element_of(const Source& source, int64_t row, int64_t col) {
  return row * source.row_step + col * source.col_step;
}

// The kLanes x kLanes elements from `first` on, whose columns are strips `col_step` apart, go to `out`.
template <typename Reader>
void pack_block(const Reader& reader, int64_t first, int64_t col_step, float* out, int64_t step) {
  FloatVector block[kLanes];
#pragma GCC unroll 16
  for (int i = 0; i < kLanes; ++i) block[i] = reader.strip(first + i * col_step, kLanes);
  transpose(block);
#pragma GCC unroll 16
  for (int i = 0; i < kLanes; ++i) store_vector(out + i * step, block[i]);
}

// Likewise, where there are fewer rows or columns; with zeros behind the columns.
template <typename Reader>
void pack_edge(const Reader& reader, int64_t first, int64_t col_step, int64_t rows, int64_t cols, float* out,
               int64_t step) {
  FloatVector block[kLanes] = {};
  for (int64_t i = 0; i < cols; ++i) block[i] = reader.strip(first + i * col_step, rows);
  transpose(block);
  for (int64_t i = 0; i < rows; ++i) store_vector(out + i * step, block[i]);
}

// For a source whose columns are strips.
template <typename Reader>
void pack_columns(const Reader& reader, const Source& source, const Box& box, float* out) {
  const int64_t step = padded(box.cols);
  for (int64_t c = 0; c < box.cols; c += kLanes) {
    const int64_t cols = smaller(kLanes, box.cols - c);
    for (int64_t r = 0; r < box.rows; r += kLanes) {
      const int64_t rows = smaller(kLanes, box.rows - r), first = element_of(source, box.row + r, box.col + c);
      float* block = out + r * step + c;
      if (rows == kLanes && cols == kLanes) {
        pack_block(reader, first, source.col_step, block, step);
      } else {
        pack_edge(reader, first, source.col_step, rows, cols, block, step);
      }
    }
  }
}

// Row r of the box goes to out + r * padded(box.cols), with zeros behind it.
template <typename Reader>
void pack(const Source& source, const Box& box, float* out) {
  Reader reader(source);
  if constexpr (!Reader::kRandom) {
    if (source.row_step == 1 && source.col_step != 1) return pack_columns(reader, source, box, out);
  }
  const int64_t step = padded(box.cols);
  for (int64_t r = 0; r < box.rows; ++r, out += step) {
    reader.read(element_of(source, box.row + r, box.col), source.col_step, box.cols, out);
    for (int64_t c = box.cols; c < step; ++c) out[c] = 0;
  }
}

typedef void (*Pack)(const Source&, const Box&, float*);

inline Pack pack_for(const Source& source) {
  switch (source.dtype) {
    case PTO_F16:
      return source.data ? pack<MemoryReader<F16>> : pack<RandomReader<F16>>;
    case PTO_BF16:
      return source.data ? pack<MemoryReader<BF16>> : pack<RandomReader<BF16>>;
    case PTO_F8E4M3:
      return source.data ? pack<MemoryReader<F8E4M3>> : pack<RandomReader<F8E4M3>>;
    case PTO_F8E5M2:
      return source.data ? pack<MemoryReader<F8E5M2>> : pack<RandomReader<F8E5M2>>;
    default:
      return source.data ? pack<MemoryReader<F32>> : pack<RandomReader<F32>>;
  }
}

}  // namespace
}  // namespace pto
