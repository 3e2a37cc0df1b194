// What the cost model needs to know of a core, taken from a machine profile.
#pragma once

#include <array>
#include <cstdint>

#include "cost/ticks.h"
#include "pto/machine.h"

namespace pto::cost {

enum class Instruction : uint8_t {
  Add,
  Mul,
  Div,
  AddScalar,
  MulScalar,
  Exp,
  Ln,
  Sqrt,
  Rsqrt,
  Abs,
  Relu,
  Select,
  RowSum,
  GroupMax,
  Gather,
  Sort,
  Convert,
  Copy,
  Other,
};
inline constexpr int kInstructions = 19;

struct CubeCore {
  Rate gm_to_l1, l1_to_l0a, l1_to_l0b, l0c_to_gm;
  int64_t l1 = 0, l0a = 0, l0b = 0, l0c = 0;  // bytes
  // One step multiplies rows x (depth bytes) by (depth bytes) x columns.
  int64_t rows = 0, columns = 0, depth = 0;
  int64_t passes_4_bytes = 0;  // cycles of a step on elements of 4 bytes
  int64_t head = 0;            // cycles, per base block
  int64_t transfer = 0;        // cycles, per transfer into l0a or l0b
  int64_t paired_vector = 0;   // vector cores
};

struct VectorCore {
  Rate gm_to_ub, ub_to_gm;
  int64_t ub = 0;         // bytes
  int64_t repeat = 0;     // bytes
  int64_t alignment = 0;  // bytes
  int64_t partial = 0;    // cycles
  std::array<VectorInstruction, kInstructions> instructions;

  const VectorInstruction& operator[](Instruction i) const { return instructions.at(static_cast<size_t>(i)); }
};

struct Core {
  CubeCore cube;
  VectorCore vector;

  explicit Core(const Machine& machine);
};

}  // namespace pto::cost
