// The layout of a sealed program (pto/program.h).
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

namespace pto {

inline constexpr std::string_view kSealMagic = "PTOPROG1";
inline constexpr size_t kTrailerBytes = 40;

// The two parts of a sealed program, as views into its bytes.
struct SealedParts {
  std::string_view object;
  std::string_view settings;
};

// Checks the trailer. Throws LoadError that names `path` and says what is wrong.
SealedParts open_seal(std::string_view bytes, const std::filesystem::path& path);

// Throws LoadError where the file cannot be read.
std::string read_bytes(const std::filesystem::path& path);

}  // namespace pto
