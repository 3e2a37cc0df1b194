// NumPy's .npy files, as far as tensors need them: C order, little endian, one dtype.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "pto/abi.h"

namespace pto {

struct NpyArray {
  std::string descr;  // NumPy's name of the element type: "<f4"
  std::vector<int64_t> extent;
  std::vector<char> data;
};

// Throws LoadError for what is no such file, or has a type of elements or an order that no tensor has.
NpyArray read_npy(const std::filesystem::path& path);

// The array's elements as a tensor's: bf16 also comes as V2 or u2, f8 as V1 or u1, as NumPy has no names for them.
// Throws LoadError, naming `path`, where they are something else.
void check_npy_dtype(const NpyArray& array, pto_dtype expected, const std::filesystem::path& path);

// bf16 is written as V2 and f8 as V1: `np.load(f).view(ml_dtypes.bfloat16)`. Throws ExecutionError.
void write_npy(const std::filesystem::path& path, pto_dtype dtype, std::span<const int64_t> extent, const void* data);

}  // namespace pto
