#include "program/kernel_infos.h"

#include <utility>

namespace pto {

std::vector<KernelInfo> kernel_infos(const pto_program& program, const std::vector<KernelCost>& costs) {
  std::vector<KernelInfo> infos;
  for (uint32_t i = 0; i < program.kernel_count; ++i) {
    const pto_kernel& kernel = program.kernels[i];
    KernelInfo info{kernel.name, static_cast<pto_unit>(kernel.unit), {}, costs.at(i)};
    for (uint32_t p = 0; p < kernel.param_count; ++p) {
      info.roles.push_back(static_cast<pto_role>(kernel.params[p].role));
    }
    infos.push_back(std::move(info));
  }
  return infos;
}

}  // namespace pto
