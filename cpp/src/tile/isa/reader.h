// Reads elements of a tile as float, in strips: `count` elements that lie `step` elements apart.
#pragma once

#include "tile/isa/random.h"

namespace pto {
namespace {

// A matrix whose element (r, c) is the one number r * row_step + c * col_step, from memory or from the hash.
struct Source {
  const char* data;  // null: procedural
  uint8_t dtype;     // a float of at most 32 bits
  int64_t row_step, col_step;
  uint64_t first, key;
  float scale;
};

template <typename Type>
class MemoryReader {
 public:
  static constexpr bool kRandom = false;
  explicit MemoryReader(const Source& source) : data_(source.data) {}

  void read(int64_t element, int64_t step, int64_t count, float* out) const {
    const char* from = data_ + element * Type::kBytes;
    const int64_t stride = step * Type::kBytes;
    int64_t i = 0;
    if (step == 1) {
      for (; i + kLanes <= count; i += kLanes) store_vector(out + i, Type::widen(from + i * Type::kBytes));
    } else {
      for (; i + kLanes <= count; i += kLanes) store_vector(out + i, gather(from + i * stride, stride, kLanes));
    }
    if (i < count) {
      const FloatVector last = gather(from + i * stride, stride, count - i);
      __builtin_memcpy(out + i, &last, (count - i) * sizeof(float));
    }
  }

  // Up to kLanes neighbours, with zeros behind them.
  FloatVector strip(int64_t element, int64_t count) const {
    const char* from = data_ + element * Type::kBytes;
    return count == kLanes ? Type::widen(from) : gather(from, Type::kBytes, count);
  }

 private:
  static FloatVector gather(const char* from, int64_t stride, int64_t count) {
    char elements[kLanes * Type::kBytes] = {};
    for (int64_t i = 0; i < count; ++i) __builtin_memcpy(elements + i * Type::kBytes, from + i * stride, Type::kBytes);
    return Type::widen(elements);
  }

  const char* data_;
};

template <typename Type>
class RandomReader {
 public:
  static constexpr bool kRandom = true;
  explicit RandomReader(const Source& source)
      : source_(source), high_(source.first >> 32), key_(source.key, high_), scale_(source.scale) {
    for (int lane = 0; lane < kLanes; ++lane) lanes_[lane] = lane;
  }

  void read(int64_t element, int64_t step, int64_t count, float* out) {
    const uint64_t first = source_.first + element;
    const uint64_t high = first >> 32;
    if (high != (first + (count - 1) * step) >> 32) return read_one_by_one(element, step, count, out);
    if (high != high_) {
      high_ = high;
      key_ = HashKey(source_.key, high);
    }
    WordVector index = lanes_ * (uint32_t)step + (uint32_t)first;
    int64_t i = 0;
    for (; i + kLanes <= count; i += kLanes, index += (uint32_t)step * kLanes) {
      store_vector(out + i, random_values<Type>(index, key_, scale_));
    }
    if (i < count) {
      const FloatVector last = random_values<Type>(index, key_, scale_);
      __builtin_memcpy(out + i, &last, (count - i) * sizeof(float));
    }
  }

 private:
  // Where the upper half of the index changes on the way, which is rare.
  void read_one_by_one(int64_t element, int64_t step, int64_t count, float* out) {
    for (int64_t i = 0; i < count; ++i) read(element + i * step, step, 1, out + i);
  }

  const Source& source_;
  uint64_t high_;
  HashKey key_;
  float scale_;
  WordVector lanes_;
};

}  // namespace
}  // namespace pto
