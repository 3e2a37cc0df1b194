// From a kernel's fragments and a machine to cycles (docs/cost-model.md).
#pragma once

#include "pto/abi.h"
#include "pto/machine.h"
#include "pto/source.h"

namespace pto {

// The cost of one run of the kernel on one core, in cycles; load + compute + store is at least 1. Throws MachineError,
// naming kernel and op, for an op or dtype that has no cost and for work that does not fit the core's buffers.
KernelCost kernel_cost(const pto_kernel& kernel, const Machine& machine);

}  // namespace pto
