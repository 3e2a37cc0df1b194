// One key space for all that a run can be told (docs/settings.md): the schedule's settings by name, everything else
// is a key of the machine profile (`cores.cube`, `costs.dispatch`, ...).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "pto/config.h"

namespace pto {

struct MachineOverride {
  std::string key;    // of the machine profile
  std::string value;  // as written
};

// What a kernel takes, in the place of what the cost model finds: cycles, or else picoseconds.
struct KernelTime {
  std::string kernel;
  int64_t cycles = 0;
  int64_t picoseconds = 0;
};

struct Settings {
  Schedule schedule;
  // In the order given; a later one replaces an earlier one.
  std::vector<MachineOverride> machine;
  std::vector<KernelTime> kernel_times;

  // Each throws ScheduleError, naming the key, for a value that the key cannot have.
  // `json` is one flat object of words, integers and booleans.
  void apply_json(std::string_view json);
  // "KEY=VALUE".
  void apply_text(std::string_view assignment);
  void apply(std::string_view key, std::string_view value);
};

// The keys of a schedule, in order.
std::vector<std::string> schedule_keys();

}  // namespace pto
