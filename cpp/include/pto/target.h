// From settings and a machine profile to what a run needs.
#pragma once

#include <filesystem>

#include "pto/program.h"
#include "pto/session.h"
#include "pto/settings.h"

namespace pto {

// Applies the settings to the profile and costs the program's kernels on the machine that results.
// Throws MachineError for a bad profile, ScheduleError for a setting that neither schedule nor machine has.
// Throws ScheduleError or MachineError for what no run of the program could honour.
void check_schedule(const pto_program& program, const Settings& settings, const std::filesystem::path& profile);

RunOptions configure(const pto_program& program, const Settings& settings, const std::filesystem::path& profile);

}  // namespace pto
