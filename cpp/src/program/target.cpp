#include "pto/target.h"

#include <algorithm>

#include "machine/schema.h"
#include "program/kernel_infos.h"
#include "program/kernel_times.h"
#include "pto/cost.h"
#include "pto/error.h"
#include "pto/machine.h"
#include "pto/simulation.h"

namespace pto {
namespace {

[[noreturn]] void refuse_key(const std::string& key) {
  machine::Schema all = machine::schema();
  std::string settings;
  for (const std::string& name : schedule_keys()) {
    all.keys.push_back({name, nullptr});
    settings += (settings.empty() ? "" : ", ") + name;
  }
  throw ScheduleError("unknown setting `" + key + "`" + all.suggestion(key) + "; expected one of " + settings +
                      ", kernels.NAME, or a key of the machine profile such as cores.cube");
}

// The kernels' given times by index; null where the cost model says.
std::vector<const KernelTime*> given_times(const pto_program& program, const std::vector<KernelTime>& times) {
  std::vector<const KernelTime*> given(program.kernel_count, nullptr);
  for (const KernelTime& time : times) {
    const auto* end = program.kernels + program.kernel_count;
    const auto* found =
        std::find_if(program.kernels, end, [&time](const pto_kernel& kernel) { return kernel.name == time.kernel; });
    if (found == end) {
      std::string names;
      for (const auto* kernel = program.kernels; kernel != end; ++kernel) {
        names += (names.empty() ? "" : ", ") + std::string(kernel->name);
      }
      throw ScheduleError("a time is given for kernel `" + time.kernel + "`; the program has " + names);
    }
    given[static_cast<size_t>(found - program.kernels)] = &time;
  }
  return given;
}

}  // namespace

RunOptions configure(const pto_program& program, const Settings& settings, const std::filesystem::path& profile) {
  Machine machine = Machine::load(profile);
  for (const MachineOverride& change : settings.machine) {
    if (!machine::schema().find(change.key)) refuse_key(change.key);
    machine.set(change.key, change.value);
  }
  RunOptions options;
  options.machine = machine.config();
  options.schedule = settings.schedule;
  const auto given = given_times(program, settings.kernel_times);
  for (uint32_t i = 0; i < program.kernel_count; ++i) {
    const pto_kernel& kernel = program.kernels[i];
    const bool varies = given[i] == nullptr && kernel.loop_count > 0;
    options.costs.push_back(given[i] != nullptr ? kernel_cost(*given[i], machine) : kernel_cost(kernel, machine));
    options.cost_functions.push_back(varies ? cost_function(kernel, machine) : CostFunction());
  }
  return options;
}

void check_schedule(const pto_program& program, const Settings& settings, const std::filesystem::path& profile) {
  const RunOptions options = configure(program, settings, profile);
  check_schedule(options.machine, options.schedule, kernel_infos(program, options));
}

}  // namespace pto
