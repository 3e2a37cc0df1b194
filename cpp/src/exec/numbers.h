// The numbers that a launch gives its kernel.
#pragma once

#include "pto/abi.h"

namespace pto {

// Throws ExecutionError, naming the task, for a number outside of its range and for a loop of negative length.
void check_numbers(const pto_kernel& kernel, const pto_site& site, const pto_task& task);

}  // namespace pto
