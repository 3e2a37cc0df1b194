// A machine profile: data with units and sources (docs/machine-profiles.md).
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "pto/config.h"

namespace pto {

// What a vector instruction costs, in cycles: `head + repeats * slope + tail`.
struct VectorInstruction {
  int64_t head = 0;
  int64_t slope = 0;
  int64_t tail = 0;
};

// A checked profile. Every key of the schema has a value.
class Machine {
 public:
  // Both throw MachineError with one line per finding: file, dotted key, what was expected, what was found.
  static Machine load(const std::filesystem::path& file);
  static Machine parse(std::string_view json, const std::string& origin);

  // Replaces a value, in the unit that the profile gives it in: `set("cores.cube", "12")`; an instruction's three
  // numbers are separated by commas. Throws MachineError for a key that does not exist, naming close ones, and for
  // a value that the key cannot have.
  void set(std::string_view key, std::string_view value);

  // A value in base units: Hz, ps, B, B/s, cycles, or a plain number. `key` must be one of the schema.
  int64_t amount(std::string_view key) const;
  VectorInstruction instruction(std::string_view key) const;

  // What the engine reads. Throws MachineError where values contradict each other.
  MachineConfig config() const;

  // The file it came from.
  const std::string& origin() const { return origin_; }

 private:
  struct Entry {
    std::string unit;
    std::array<int64_t, 3> amounts{};  // in base units; the first one only, except for an instruction
  };
  struct Fraction {
    int64_t bytes = 0, cycles = 1;
  };
  const Entry& entry(std::string_view key) const;
  Fraction bytes_per_cycle(std::string_view rate) const;
  int64_t cost(std::string_view key) const;  // in cycles

  std::string origin_;
  std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace pto
