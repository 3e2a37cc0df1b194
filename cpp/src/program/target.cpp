#include "pto/target.h"

#include "machine/schema.h"
#include "program/kernel_infos.h"
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
                      ", or a key of the machine profile such as cores.cube");
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
  for (uint32_t i = 0; i < program.kernel_count; ++i) {
    options.costs.push_back(kernel_cost(program.kernels[i], machine));
  }
  return options;
}

void check_schedule(const pto_program& program, const Settings& settings, const std::filesystem::path& profile) {
  const RunOptions options = configure(program, settings, profile);
  check_schedule(options.machine, options.schedule, kernel_infos(program, options.costs));
}

}  // namespace pto
