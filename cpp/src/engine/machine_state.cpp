#include "engine/machine_state.h"

namespace pto {

MachineState::MachineState(const MachineConfig& config, const Schedule& plan, std::span<const KernelInfo> kernel_infos,
                           TraceSink* sink)
    : machine(config),
      schedule(plan),
      topology(config, plan),
      kernels(kernel_infos.begin(), kernel_infos.end()),
      trace(sink),
      window(plan),
      servers(static_cast<size_t>(topology.schedulers)) {
  stats.pools.resize(2);
  stats.pools[PTO_CUBE].name = "cube";
  stats.pools[PTO_CUBE].cores = config.cube_cores;
  stats.pools[PTO_VECTOR].name = "vector";
  stats.pools[PTO_VECTOR].cores = config.vector_cores;
  for (const KernelInfo& kernel : kernels) stats.kernels.push_back({kernel.name, 0, 0, {}});
  stats.schedulers.resize(servers.size());
}

}  // namespace pto
