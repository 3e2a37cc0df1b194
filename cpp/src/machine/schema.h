// The keys that a machine profile must have, with kinds and units: one file that Python reads too.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace pto::machine {

// What a value must be. Limits are in base units: Hz, ps, B, B/s, cycles, or a plain number.
struct Kind {
  bool integer = false;
  size_t count = 1;  // how many numbers a value has
  double least = 0;
  double most = 0;
  std::vector<std::string> units;

  // "an integer from 1 to 65536 cores"
  std::string expected() const;
};

struct Key {
  std::string name;  // dotted
  const Kind* kind = nullptr;
};

struct Schema {
  std::map<std::string, double> scales;  // base units in one unit
  std::map<std::string, Kind> kinds;
  std::vector<Key> keys;  // in the order of the file

  const Key* find(std::string_view name) const;
  // True for `cores`, as `cores.cube` is a key.
  bool is_group(std::string_view name) const;
  // "; did you mean `cores.cube`?", or nothing where no key is close.
  std::string suggestion(std::string_view name) const;
};

const Schema& schema();

}  // namespace pto::machine
