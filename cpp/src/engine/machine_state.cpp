#include "engine/machine_state.h"

namespace pto {

MachineState::MachineState(const MachineConfig& config, const Schedule& plan, std::span<const KernelInfo> kernel_infos,
                           std::span<const pto_site> task_sites, TraceSink* sink)
    : machine(config),
      schedule(plan),
      topology(config, plan),
      kernels(kernel_infos.begin(), kernel_infos.end()),
      sites(task_sites),
      trace(plan.records_rows ? sink : nullptr),
      window(plan),
      servers(static_cast<size_t>(topology.schedulers)) {
  for (const CoreGroup& group : topology.groups) stats.pools.push_back({group.name, group.cores, 0, 0, {}});
  for (const KernelInfo& kernel : kernels) {
    stats.kernels.push_back({kernel.name, 0, 0, {}});
    costs.push_back(kernel.cost);
    const auto operands = static_cast<int64_t>(kernel.roles.size());
    traits.push_back({topology.pool_of(kernel.unit), static_cast<uint8_t>(kernel.unit), kernel.cost_of != nullptr,
                      operands * machine.costs.submit_operand});
  }
}

std::string MachineState::name_of(int64_t live_task) {
  const Task& task = tasks[live_task];
  std::string text = "task " + std::to_string(live_task) + " (" + kernels[task.kernel].name;
  if (task.site < sites.size()) text += std::string(", ") + sites[task.site].location;
  return text + ")";
}

}  // namespace pto
