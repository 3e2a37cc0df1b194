#include "exec/debug.h"

#include <array>
#include <cinttypes>
#include <cmath>
#include <cstdio>
#include <type_traits>

#include "pto/abi.h"
#include "pto/dtype.h"

namespace pto {
namespace {

constexpr int64_t kEdge = 4;

template <typename Number>
std::string number_text(Number number) {
  std::array<char, 32> text{};
  if constexpr (std::is_floating_point_v<Number>) {
    if (std::isnan(number)) return "nan";
    std::snprintf(text.data(), text.size(), "%.*g", std::is_same_v<Number, double> ? 17 : 9,
                  static_cast<double>(number));
  } else if constexpr (std::is_signed_v<Number>) {
    std::snprintf(text.data(), text.size(), "%" PRId64, static_cast<int64_t>(number));
  } else {
    std::snprintf(text.data(), text.size(), "%" PRIu64, static_cast<uint64_t>(number));
  }
  return text.data();
}

// Calls `each` for the places that are shown, with -1 for those between.
template <typename Each>
void for_each_shown(int64_t count, Each each) {
  for (int64_t i = 0; i < count; ++i) {
    if (count > 2 * kEdge && i == kEdge) {
      each(-1);
      i = count - kEdge;
    }
    each(i);
  }
}

template <typename Number>
std::string rows_text(int64_t rows, int64_t cols, const void* value) {
  const auto* numbers = static_cast<const Number*>(value);
  std::string text;
  for_each_shown(rows, [&](int64_t row) {
    if (row < 0) {
      text += "  ..\n";
      return;
    }
    std::string line;
    for_each_shown(cols, [&](int64_t col) {
      line += (line.empty() ? "" : " ") + (col < 0 ? ".." : number_text(numbers[row * cols + col]));
    });
    text += "  [" + line + "]\n";
  });
  return text;
}

std::string rows_text(uint8_t dtype, int64_t rows, int64_t cols, const void* value) {
  switch (dtype) {
    case PTO_I8:
      return rows_text<int8_t>(rows, cols, value);
    case PTO_I16:
      return rows_text<int16_t>(rows, cols, value);
    case PTO_I32:
      return rows_text<int32_t>(rows, cols, value);
    case PTO_I64:
      return rows_text<int64_t>(rows, cols, value);
    case PTO_I1:
    case PTO_U8:
      return rows_text<uint8_t>(rows, cols, value);
    case PTO_U16:
      return rows_text<uint16_t>(rows, cols, value);
    case PTO_U32:
      return rows_text<uint32_t>(rows, cols, value);
    case PTO_U64:
      return rows_text<uint64_t>(rows, cols, value);
    case PTO_F64:
      return rows_text<double>(rows, cols, value);
    default:
      return rows_text<float>(rows, cols, value);
  }
}

}  // namespace

std::string debug_text(const char* location, const char* name, uint8_t dtype, int64_t rows, int64_t cols,
                       const void* value, const std::string& run) {
  return std::string(location) + ": " + name + " = " + std::to_string(rows) + "x" + std::to_string(cols) + " " +
         dtype_info(dtype).name + ", " + run + "\n" + rows_text(dtype, rows, cols, value);
}

void print_debug(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stderr); }

}  // namespace pto
