// Packs a matmul's operands into panels: a few columns next to each other, `depth` rows one after the other.
#pragma once

#include "tile/isa/reader.h"

namespace pto {
namespace {

// A box of a source: `depth` rows (the k of the matmul) from `row` on, `cols` columns from `col` on.
struct Box {
  int64_t row, depth, col, cols;
};

// Panels of `width` columns; the last one may be narrower, padded with zeros to a multiple of `granule`.
struct Panels {
  int64_t width, granule;
  int64_t cols_at(int64_t col, int64_t cols) const { return cols - col < width ? cols - col : width; }
  int64_t padded(int64_t cols) const { return (cols + granule - 1) / granule * granule; }
};

void clear_padding(int64_t depth, int64_t cols, int64_t padded, float* panel) {
  if (cols == padded) return;
  for (int64_t r = 0; r < depth; ++r) {
    __builtin_memset(panel + r * padded + cols, 0, (padded - cols) * sizeof(float));
  }
}

// Reads row by row, across all panels: memory likes long strips.
template <typename Reader>
void pack_by_rows(Reader& reader, const Source& source, const Box& box, Panels panels, float* out) {
  for (int64_t r = 0; r < box.depth; ++r) {
    int64_t element = (box.row + r) * source.row_step + box.col * source.col_step;
    for (int64_t c = 0; c < box.cols; c += panels.width) {
      const int64_t cols = panels.cols_at(c, box.cols);
      reader.read(element, source.col_step, cols, out + c * box.depth + r * panels.padded(cols));
      element += cols * source.col_step;
    }
  }
}

constexpr int64_t kTransposedRows = 64;

// Reads column by column, for sources that lie that way.
template <typename Reader>
void pack_by_columns(Reader& reader, const Source& source, const Box& box, int64_t width, float* panel) {
  float columns[kTileCols * kTransposedRows];
  for (int64_t r0 = 0; r0 < box.depth; r0 += kTransposedRows) {
    const int64_t rows = box.depth - r0 < kTransposedRows ? box.depth - r0 : kTransposedRows;
    for (int64_t c = 0; c < box.cols; ++c) {
      const int64_t element = (box.row + r0) * source.row_step + (box.col + c) * source.col_step;
      reader.read(element, source.row_step, rows, width == 1 ? panel + r0 : columns + c * kTransposedRows);
    }
    if (width == 1) continue;
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t c = 0; c < box.cols; ++c) panel[(r0 + r) * width + c] = columns[c * kTransposedRows + r];
    }
  }
}

// Panel p goes to out + p * panels.width * box.depth. No panel is wider than kTileCols.
template <typename Reader>
void pack(const Source& source, const Box& box, Panels panels, float* out) {
  Reader reader(source);
  const bool by_columns = Reader::kRandom ? panels.width < kLanes : source.row_step == 1 && source.col_step != 1;
  if (!by_columns) pack_by_rows(reader, source, box, panels, out);
  for (int64_t c = 0; c < box.cols; c += panels.width) {
    const int64_t cols = panels.cols_at(c, box.cols), padded = panels.padded(cols);
    float* panel = out + c * box.depth;
    if (by_columns) {
      pack_by_columns(reader, source, {box.row, box.depth, box.col + c, cols}, padded, panel);
    }
    clear_padding(box.depth, cols, padded, panel);
  }
}

typedef void (*Pack)(const Source&, const Box&, Panels, float*);

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
