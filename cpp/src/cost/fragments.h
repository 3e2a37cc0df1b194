// A kernel's fragments, checked.
#pragma once

#include <string_view>
#include <vector>

#include "cost/vector_stage.h"
#include "pto/abi.h"

namespace pto::cost {

inline bool is_load(const pto_fragment& f) { return std::string_view(f.op) == "load"; }
inline bool is_store(const pto_fragment& f) { return std::string_view(f.op) == "store"; }
inline bool is_matmul(const pto_fragment& f) { return std::string_view(f.op) == "matmul"; }

// Throws FragmentError for a fragment that makes no sense: an unknown op or dtype, extents below 1, sizes beyond
// what the model's arithmetic holds, a matmul on a vector core.
void check_fragment(const pto_kernel& kernel, const pto_fragment& fragment);

Transfer transfer(const pto_fragment& fragment);
Compute compute(const pto_fragment& fragment);

// For every fragment: whether it is a load that feeds a matmul, and so goes to l1.
std::vector<bool> loads_of_matmuls(const pto_kernel& kernel);

// True where some load has the shape and dtype of the matmul's left (right) operand, stored as it is or transposed.
bool left_is_loaded(const pto_kernel& kernel, const pto_fragment& matmul);
bool right_is_loaded(const pto_kernel& kernel, const pto_fragment& matmul);

}  // namespace pto::cost
