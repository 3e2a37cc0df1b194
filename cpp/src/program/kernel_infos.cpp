#include "program/kernel_infos.h"

#include <utility>

namespace pto {

std::vector<KernelInfo> kernel_infos(const pto_program& program, const RunOptions& options) {
  std::vector<KernelInfo> infos;
  for (uint32_t i = 0; i < program.kernel_count; ++i) {
    const pto_kernel& kernel = program.kernels[i];
    KernelInfo info{kernel.name, static_cast<pto_unit>(kernel.unit), {}, options.costs.at(i), {}, {}};
    for (uint32_t p = 0; p < kernel.param_count; ++p) {
      info.roles.push_back(static_cast<pto_role>(kernel.params[p].role));
    }
    if (i < options.cost_functions.size() && options.cost_functions[i]) {
      info.loops.assign(kernel.loops, kernel.loops + kernel.loop_count);
      info.cost_of = options.cost_functions[i];
    }
    infos.push_back(std::move(info));
  }
  return infos;
}

}  // namespace pto
