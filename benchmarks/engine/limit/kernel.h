// What the machine has to know of a task: where it runs, and how long.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace limit {

enum class Unit : uint8_t { Cube, Vector };

struct Kernel {
  Unit unit;
  int64_t cycles;
};

inline constexpr int kCube = 24, kVector = 48;  // cores

inline Kernel parse_kernel(const std::string& text) {
  const size_t colon = text.find(':');
  const std::string unit = text.substr(0, colon);
  if (colon == std::string::npos || (unit != "cube" && unit != "vector")) {
    throw std::invalid_argument("expected cube:CYCLES or vector:CYCLES, found " + text);
  }
  return {unit == "cube" ? Unit::Cube : Unit::Vector, std::stoll(text.substr(colon + 1))};
}

inline std::vector<Kernel> parse_kernels(int count, char** texts) {
  std::vector<Kernel> kernels;
  for (int i = 0; i < count; ++i) kernels.push_back(parse_kernel(texts[i]));
  return kernels;
}

}  // namespace limit
