#include "exec/widen.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "exec/describe.h"
#include "pto/dtype.h"
#include "pto/error.h"
#include "pto/tile_ops.h"

namespace pto {
namespace {

// Strips are short, to stay on the stack.
constexpr int64_t kStrip = 256;

bool is_integral(double value) { return value == std::trunc(value) && value >= -0x1p63 && value < 0x1p63; }

std::string number_text(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.9g", value);
  return text.data();
}

template <typename Element>
void widen(const char* from, int64_t count, int64_t* values) {
  for (int64_t i = 0; i < count; ++i) {
    Element element;
    std::memcpy(&element, from + i * static_cast<int64_t>(sizeof element), sizeof element);
    values[i] = static_cast<int64_t>(element);
  }
}

void widen_integers(uint8_t dtype, const char* from, int64_t count, int64_t* values) {
  switch (dtype) {
    case PTO_I1:
    case PTO_U8:
      return widen<uint8_t>(from, count, values);
    case PTO_I8:
      return widen<int8_t>(from, count, values);
    case PTO_I16:
      return widen<int16_t>(from, count, values);
    case PTO_U16:
      return widen<uint16_t>(from, count, values);
    case PTO_I32:
      return widen<int32_t>(from, count, values);
    case PTO_U32:
      return widen<uint32_t>(from, count, values);
    default:
      return widen<int64_t>(from, count, values);
  }
}

class Widener {
 public:
  Widener(const TileBuilder& tiles, const TensorBinding& tensor, const pto_region& region)
      : tiles_(tiles), tensor_(tensor), region_(region) {}

  void run(int64_t* values) {
    if (region_.rank == 0) return strip({}, 0, 1, values);
    const uint32_t last = region_.rank - 1;
    std::array<int64_t, PTO_MAX_RANK> at{};
    while (true) {
      for (int64_t c = 0; c < region_.extent[last]; c += kStrip) {
        const int64_t count = std::min(kStrip, region_.extent[last] - c);
        strip(at, c, count, values);
        values += count;
      }
      uint32_t d = last;
      while (d > 0 && ++at[d - 1] == region_.extent[d - 1]) at[--d] = 0;
      if (d == 0) return;
    }
  }

 private:
  using Position = std::array<int64_t, PTO_MAX_RANK>;

  // `count` elements from column `col` on, of the row at `at`.
  void strip(Position at, int64_t col, int64_t count, int64_t* values) const {
    if (region_.rank > 0) at[region_.rank - 1] = col;
    pto_region part = region_;
    for (uint32_t d = 0; d < region_.rank; ++d) part.offset[d] += at[d];
    const pto_tile tile = tiles_.tile_at(part, count, 1);
    const uint8_t dtype = tensor_.info.dtype;
    if (dtype_info(dtype).integer) {
      widen_integers(dtype, static_cast<const char*>(tile.data), count, values);
      check_unsigned(part, count, values);
    } else {
      widen_floats(part, tile, count, values);
    }
  }

  void check_unsigned(const pto_region& part, int64_t count, const int64_t* values) const {
    if (tensor_.info.dtype != PTO_U64) return;
    for (int64_t i = 0; i < count; ++i) {
      if (values[i] < 0) refuse(part, i, std::to_string(static_cast<uint64_t>(values[i])));
    }
  }

  void widen_floats(const pto_region& part, const pto_tile& tile, int64_t count, int64_t* values) const {
    std::array<double, kStrip> wide{};
    load_floats(tile, count, wide);
    for (int64_t i = 0; i < count; ++i) {
      if (!is_integral(wide[i])) refuse(part, i, number_text(wide[i]));
      values[i] = static_cast<int64_t>(wide[i]);
    }
  }

  void load_floats(const pto_tile& tile, int64_t count, std::array<double, kStrip>& wide) const {
    if (tensor_.info.dtype == PTO_F64) {
      tile_ops().load(&tile, PTO_F64, 0, 0, 1, count, wide.data());
      return;
    }
    std::array<float, kStrip> narrow{};
    tile_ops().load(&tile, tensor_.info.dtype, 0, 0, 1, count, narrow.data());
    std::copy_n(narrow.begin(), count, wide.begin());
  }

  [[noreturn]] void refuse(const pto_region& part, int64_t element, const std::string& value) const {
    Position at{};
    std::copy_n(part.offset, part.rank, at.begin());
    if (part.rank > 0) at[part.rank - 1] += element;
    throw ExecutionError(tensor_title(tensor_.info) + ": element " + list_text({at.data(), part.rank}) + " is " +
                         value + ", expected an integer of 64 bits where the workload reads it");
  }

  const TileBuilder& tiles_;
  const TensorBinding& tensor_;
  const pto_region& region_;
};

void check_readable(const TensorBinding& tensor) {
  const uint8_t dtype = tensor.info.dtype;
  if (dtype == PTO_F8E4M3 || dtype == PTO_F8E5M2) {
    throw ExecutionError(tensor_title(tensor.info) + ": expected integers, or floats of 16 bits or more, where the " +
                         "workload reads it, found " + dtype_info(dtype).name);
  }
  const bool procedural = tensor.info.source == PTO_SOURCE_RANDOM && !dtype_info(dtype).integer;
  if (!tensor.data && !procedural) {
    throw ExecutionError(tensor_title(tensor.info) + " has no values where the workload reads it: give it data");
  }
}

}  // namespace

void widen_region(const TileBuilder& tiles, const TensorBinding& tensor, const pto_region& region, int64_t* values) {
  check_readable(tensor);
  if (std::any_of(region.extent, region.extent + region.rank, [](int64_t n) { return n == 0; })) return;
  Widener(tiles, tensor, region).run(values);
}

}  // namespace pto
