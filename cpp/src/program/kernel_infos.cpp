#include "program/kernel_infos.h"

#include <utility>

#include "pto/cost.h"

namespace pto {

std::vector<KernelInfo> kernel_infos(const pto_program& program, const RunOptions& options) {
  std::vector<KernelInfo> infos;
  for (uint32_t i = 0; i < program.kernel_count; ++i) {
    const pto_kernel& kernel = program.kernels[i];
    KernelInfo info{kernel.name, static_cast<pto_unit>(kernel.unit), {}, options.costs.at(i), {}, {}, {}};
    for (uint32_t p = 0; p < kernel.param_count; ++p) {
      info.roles.push_back(static_cast<pto_role>(kernel.params[p].role));
    }
    if (i < options.cost_functions.size() && options.cost_functions[i]) {
      info.loops.assign(kernel.loops, kernel.loops + kernel.loop_count);
      info.cost_of = options.cost_functions[i];
    }
    // A kernel with loops and one cost for all tasks has been given a time, and moves nothing.
    if (info.cost_of || kernel.loop_count == 0) {
      info.loads_of = [&kernel](const int64_t* trips) { return loaded_bytes(kernel, trips); };
    }
    infos.push_back(std::move(info));
  }
  return infos;
}

}  // namespace pto
