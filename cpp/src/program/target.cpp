#include "pto/target.h"

#include "pto/cost.h"
#include "pto/machine.h"

namespace pto {

RunOptions configure(const pto_program& program, const Settings& settings, const std::filesystem::path& profile) {
  Machine machine = Machine::load(profile);
  for (const MachineOverride& change : settings.machine) machine.set(change.key, change.value);
  RunOptions options;
  options.machine = machine.config();
  options.schedule = settings.schedule;
  for (uint32_t i = 0; i < program.kernel_count; ++i) {
    options.costs.push_back(kernel_cost(program.kernels[i], machine));
  }
  return options;
}

}  // namespace pto
