// A program's kernels as the engine sees them.
#pragma once

#include <vector>

#include "pto/abi.h"
#include "pto/session.h"
#include "pto/source.h"

namespace pto {

// With the costs of the options.
std::vector<KernelInfo> kernel_infos(const pto_program& program, const RunOptions& options);

}  // namespace pto
