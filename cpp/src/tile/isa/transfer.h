// Boxes between tiles and dense values in scratch.
#pragma once

#include "tile/isa/reader.h"

namespace pto {
namespace {

template <typename Reader>
void load_floats(const pto_tile& tile, uint8_t dtype, int64_t row, int64_t col, int64_t rows, int64_t cols,
                 float* value) {
  const Source source = {
      (const char*)tile.data, dtype, tile.row_stride, tile.col_stride, tile.first, tile.key, tile.scale};
  Reader reader(source);
  for (int64_t r = 0; r < rows; ++r) {
    reader.read((row + r) * tile.row_stride + col * tile.col_stride, tile.col_stride, cols, value + r * cols);
  }
}

template <typename Type>
void store_floats(const pto_tile& tile, int64_t row, int64_t col, int64_t rows, int64_t cols, const float* value) {
  for (int64_t r = 0; r < rows; ++r, value += cols) {
    char* to = (char*)tile.data + ((row + r) * tile.row_stride + col * tile.col_stride) * Type::kBytes;
    const int64_t step = tile.col_stride * Type::kBytes;
    int64_t c = 0;
    if (tile.col_stride == 1) {
      for (; c + kLanes <= cols; c += kLanes) Type::narrow(load_vector<FloatVector>(value + c), to + c * step);
    }
    while (c < cols) {
      const int64_t count = cols - c < kLanes ? cols - c : kLanes;
      FloatVector last = {};
      char elements[kLanes * Type::kBytes];
      __builtin_memcpy(&last, value + c, count * sizeof(float));
      Type::narrow(last, elements);
      for (int64_t i = 0; i < count; ++i, ++c) {
        __builtin_memcpy(to + c * step, elements + i * Type::kBytes, Type::kBytes);
      }
    }
  }
}

enum class Direction { Load, Store };

// Elements that are held in scratch as they are in memory.
template <typename Element, Direction direction>
void copy_box(const pto_tile& tile, int64_t row, int64_t col, int64_t rows, int64_t cols, char* value) {
  constexpr int64_t kBytes = sizeof(Element);
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < cols; ++c, value += kBytes) {
      char* element = (char*)tile.data + ((row + r) * tile.row_stride + (col + c) * tile.col_stride) * kBytes;
      if constexpr (direction == Direction::Load) {
        __builtin_memcpy(value, element, kBytes);
      } else {
        __builtin_memcpy(element, value, kBytes);
      }
    }
  }
}

template <Direction direction>
void copy_elements(const pto_tile& tile, uint8_t dtype, int64_t row, int64_t col, int64_t rows, int64_t cols,
                   char* value) {
  switch (dtype) {
    case PTO_I1:
    case PTO_I8:
    case PTO_U8:
      return copy_box<uint8_t, direction>(tile, row, col, rows, cols, value);
    case PTO_I16:
    case PTO_U16:
      return copy_box<uint16_t, direction>(tile, row, col, rows, cols, value);
    case PTO_I32:
    case PTO_U32:
      return copy_box<uint32_t, direction>(tile, row, col, rows, cols, value);
    default:
      return copy_box<uint64_t, direction>(tile, row, col, rows, cols, value);
  }
}

void load_doubles(const pto_tile& tile, int64_t row, int64_t col, int64_t rows, int64_t cols, char* value) {
  if (tile.data) return copy_box<uint64_t, Direction::Load>(tile, row, col, rows, cols, value);
  for (int64_t r = 0; r < rows; ++r, value += cols * sizeof(double)) {
    const uint64_t first = tile.first + (row + r) * tile.row_stride + col * tile.col_stride;
    random_doubles(tile.key, tile.scale, first, tile.col_stride, cols, (double*)value);
  }
}

void load(const pto_tile* tile, uint8_t dtype, int64_t row, int64_t col, int64_t rows, int64_t cols, void* value) {
  float* out = (float*)value;
  switch (dtype) {
    case PTO_F16:
      return (tile->data ? load_floats<MemoryReader<F16>> : load_floats<RandomReader<F16>>)(*tile, dtype, row, col,
                                                                                            rows, cols, out);
    case PTO_BF16:
      return (tile->data ? load_floats<MemoryReader<BF16>> : load_floats<RandomReader<BF16>>)(*tile, dtype, row, col,
                                                                                              rows, cols, out);
    case PTO_F8E4M3:
      return (tile->data ? load_floats<MemoryReader<F8E4M3>> : load_floats<RandomReader<F8E4M3>>)(*tile, dtype, row,
                                                                                                  col, rows, cols, out);
    case PTO_F8E5M2:
      return (tile->data ? load_floats<MemoryReader<F8E5M2>> : load_floats<RandomReader<F8E5M2>>)(*tile, dtype, row,
                                                                                                  col, rows, cols, out);
    case PTO_F32:
      return (tile->data ? load_floats<MemoryReader<F32>> : load_floats<RandomReader<F32>>)(*tile, dtype, row, col,
                                                                                            rows, cols, out);
    case PTO_F64:
      return load_doubles(*tile, row, col, rows, cols, (char*)value);
    default:
      return copy_elements<Direction::Load>(*tile, dtype, row, col, rows, cols, (char*)value);
  }
}

void store(const pto_tile* tile, uint8_t dtype, int64_t row, int64_t col, int64_t rows, int64_t cols,
           const void* value) {
  switch (dtype) {
    case PTO_F16:
      return store_floats<F16>(*tile, row, col, rows, cols, (const float*)value);
    case PTO_BF16:
      return store_floats<BF16>(*tile, row, col, rows, cols, (const float*)value);
    case PTO_F8E4M3:
      return store_floats<F8E4M3>(*tile, row, col, rows, cols, (const float*)value);
    case PTO_F8E5M2:
      return store_floats<F8E5M2>(*tile, row, col, rows, cols, (const float*)value);
    case PTO_F32:
      return store_floats<F32>(*tile, row, col, rows, cols, (const float*)value);
    default:
      return copy_elements<Direction::Store>(*tile, dtype, row, col, rows, cols, (char*)value);
  }
}

}  // namespace
}  // namespace pto
