// What a dtype is called and how large it is.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "pto/abi.h"

namespace pto {

struct DtypeInfo {
  const char* name;  // "f32", as in the IR
  int64_t bytes;
  bool integer;
};

inline const DtypeInfo& dtype_info(uint8_t dtype) {
  static constexpr std::array<DtypeInfo, 15> kInfos = {{
      {"i1", 1, true},
      {"i8", 1, true},
      {"i16", 2, true},
      {"i32", 4, true},
      {"i64", 8, true},
      {"u8", 1, true},
      {"u16", 2, true},
      {"u32", 4, true},
      {"u64", 8, true},
      {"f16", 2, false},
      {"bf16", 2, false},
      {"f32", 4, false},
      {"f64", 8, false},
      {"f8e4m3", 1, false},
      {"f8e5m2", 1, false},
  }};
  return kInfos.at(dtype);
}

// The dtype of that name, or nothing.
inline std::optional<pto_dtype> dtype_named(std::string_view name) {
  for (uint8_t dtype = 0; dtype <= PTO_F8E5M2; ++dtype) {
    if (name == dtype_info(dtype).name) return static_cast<pto_dtype>(dtype);
  }
  return std::nullopt;
}

}  // namespace pto
