#include "cost/core.h"

#include <string>

namespace pto::cost {
namespace {

constexpr std::array<const char*, kInstructions> kNames = {
    "add",  "mul",    "div",     "add_scalar", "mul_scalar", "exp",  "ln",      "sqrt", "rsqrt", "abs",
    "relu", "select", "row_sum", "group_max",  "gather",     "sort", "convert", "copy", "other",
};

}  // namespace

Core::Core(const Machine& machine) {
  const auto rate = [&](const char* key) { return Rate::of(machine.amount(key), machine.amount("clock")); };
  cube = {.gm_to_l1 = rate("bandwidth.gm_to_l1"),
          .l1_to_l0a = rate("bandwidth.l1_to_l0a"),
          .l1_to_l0b = rate("bandwidth.l1_to_l0b"),
          .l0c_to_gm = rate("bandwidth.l0c_to_gm"),
          .l1 = machine.amount("buffers.l1"),
          .l0a = machine.amount("buffers.l0a"),
          .l0b = machine.amount("buffers.l0b"),
          .l0c = machine.amount("buffers.l0c"),
          .rows = machine.amount("cube.rows"),
          .columns = machine.amount("cube.columns"),
          .depth = machine.amount("cube.depth"),
          .passes_4_bytes = machine.amount("cube.passes_4_bytes"),
          .head = machine.amount("cube.head"),
          .transfer = machine.amount("cube.transfer"),
          .paired_vector = machine.amount("cube.paired_vector")};
  vector = {.gm_to_ub = rate("bandwidth.gm_to_ub"),
            .ub_to_gm = rate("bandwidth.ub_to_gm"),
            .ub = machine.amount("buffers.ub"),
            .repeat = machine.amount("vector.repeat"),
            .alignment = machine.amount("vector.alignment"),
            .partial = machine.amount("vector.partial"),
            .instructions = {}};
  for (size_t i = 0; i < kNames.size(); ++i) {
    vector.instructions.at(i) = machine.instruction(std::string("vector.") + kNames.at(i));
  }
}

}  // namespace pto::cost
