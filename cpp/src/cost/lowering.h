// A kernel's fragments as stages of matmul and vector work. Fragments have shapes and an order but no operands, so
// who feeds whom is read off the shapes (docs/cost-model.md).
#pragma once

#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "cost/matmul.h"
#include "cost/vector_stage.h"
#include "pto/abi.h"

namespace pto::cost {

struct MatmulWork {
  Matmul matmul;
  // Which operands are loaded from global memory; the others are results of earlier stages.
  bool left_loaded = false;
  bool right_loaded = false;
  bool stored = false;  // the result leaves the kernel as it is

  bool independent() const { return left_loaded && right_loaded; }
};

using Stage = std::variant<MatmulWork, VectorWork>;

// A fragment that has no cost, with the reason.
struct FragmentError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// In program order. Throws FragmentError.
std::vector<Stage> lower(const pto_kernel& kernel);

}  // namespace pto::cost
