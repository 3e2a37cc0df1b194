// Task programs as files: a shared object, the schedule's settings and a trailer that vouches for both.
//
//   [shared object][settings, JSON text][trailer]
//   trailer, little endian: "PTOPROG1", u32 ABI version, u32 zero, u64 object bytes, u64 settings bytes,
//   u64 FNV-1a hash of everything before the hash.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "pto/abi.h"

namespace pto {

// Seals the shared object `object` with `settings` (a JSON object) into `out`, which appears whole or not at all.
// Throws LoadError where a file cannot be read or written.
void seal(const std::filesystem::path& object, std::string_view settings, const std::filesystem::path& out);

// Throws LoadError unless the sealed program is whole and of this ABI.
void check_seal(const std::filesystem::path& program);

// A sealed program in memory; its code stays loaded as long as this object lives.
class LoadedProgram {
 public:
  // Throws LoadError for a file that is missing, no task program, truncated, damaged or of another ABI:
  // all of it before any of the file's code can run.
  explicit LoadedProgram(const std::filesystem::path& path);
  ~LoadedProgram();
  LoadedProgram(const LoadedProgram&) = delete;
  LoadedProgram& operator=(const LoadedProgram&) = delete;

  const pto_program& program() const;
  const std::string& settings() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pto
