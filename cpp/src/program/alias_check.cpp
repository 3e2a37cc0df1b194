#include "program/alias_check.h"

#include <algorithm>
#include <string>

#include "pto/error.h"

namespace pto {

AliasCheck::AliasCheck(const pto_program& program) : program_(program) {
  for (uint32_t k = 0; k < program.kernel_count; ++k) {
    const pto_kernel& kernel = program.kernels[k];
    first_pair_.push_back(static_cast<uint32_t>(pairs_.size()));
    for (uint32_t a = 0; a < kernel.param_count; ++a) {
      for (uint32_t b = a + 1; b < kernel.param_count; ++b) {
        if (kernel.params[a].role != PTO_IN || kernel.params[b].role != PTO_IN) pairs_.push_back({a, b});
      }
    }
  }
  first_pair_.push_back(static_cast<uint32_t>(pairs_.size()));
}

bool AliasCheck::is_empty(const pto_region& region) {
  return std::any_of(region.extent, region.extent + region.rank, [](int64_t extent) { return extent <= 0; });
}

void AliasCheck::refuse(const pto_task& task, const Pair& pair) const {
  const pto_kernel& kernel = program_.kernels[task.kernel];
  throw ExecutionError(std::string(program_.sites[task.site].location) + ": " + kernel.name + ": parameters '" +
                       kernel.params[pair.a].name + "' and '" + kernel.params[pair.b].name +
                       "' share elements of tensor '" + program_.tensors[task.operands[pair.a].tensor].name +
                       "', and one of them is written: use one InOut");
}

}  // namespace pto
