// A program's kernels as the engine sees them.
#pragma once

#include <vector>

#include "pto/abi.h"
#include "pto/source.h"

namespace pto {

// `costs`: one per kernel.
std::vector<KernelInfo> kernel_infos(const pto_program& program, const std::vector<KernelCost>& costs);

}  // namespace pto
