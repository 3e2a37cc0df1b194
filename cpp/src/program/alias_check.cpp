#include "program/alias_check.h"

#include <string>

#include "deps/box.h"
#include "pto/error.h"

namespace pto {
namespace {

bool share_elements(const pto_region& a, const pto_region& b) {
  for (uint32_t d = 0; d < a.rank; ++d) {
    if (a.offset[d] >= b.offset[d] + b.extent[d] || b.offset[d] >= a.offset[d] + a.extent[d]) return false;
  }
  return !is_empty(box_of(a)) && !is_empty(box_of(b));
}

}  // namespace

AliasCheck::AliasCheck(const pto_program& program) : program_(program), pairs_(program.kernel_count) {
  for (uint32_t k = 0; k < program.kernel_count; ++k) {
    const pto_kernel& kernel = program.kernels[k];
    for (uint32_t a = 0; a < kernel.param_count; ++a) {
      for (uint32_t b = a + 1; b < kernel.param_count; ++b) {
        if (kernel.params[a].role != PTO_IN || kernel.params[b].role != PTO_IN) pairs_[k].push_back({a, b});
      }
    }
  }
}

void AliasCheck::check(const pto_task& task) const {
  for (const Pair& pair : pairs_[task.kernel]) {
    const pto_region &a = task.operands[pair.a], &b = task.operands[pair.b];
    if (a.tensor == b.tensor && share_elements(a, b)) refuse(task, pair);
  }
}

void AliasCheck::refuse(const pto_task& task, const Pair& pair) const {
  const pto_kernel& kernel = program_.kernels[task.kernel];
  throw ExecutionError(std::string(program_.sites[task.site].location) + ": " + kernel.name + ": parameters '" +
                       kernel.params[pair.a].name + "' and '" + kernel.params[pair.b].name +
                       "' share elements of tensor '" + program_.tensors[task.operands[pair.a].tensor].name +
                       "', and one of them is written: use one InOut");
}

}  // namespace pto
