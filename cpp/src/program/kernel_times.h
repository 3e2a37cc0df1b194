// Kernels' times as users know them, measured or decided: they take the place of the cost model's (docs/settings.md).
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "pto/machine.h"
#include "pto/settings.h"
#include "pto/source.h"

namespace pto {

// "4200" cycles, or "2.5us"; throws ScheduleError.
KernelTime parse_kernel_time(std::string_view key, std::string_view kernel, std::string_view value);

// A CSV file whose header names the columns `kernel` and one of `cycles`, `ns`, `us` or `ms`; others are not read.
// Throws ScheduleError with file and line.
std::vector<KernelTime> read_kernel_times(const std::filesystem::path& file);

// All of it is compute, and moves nothing: what was measured has its transfers in it.
KernelCost kernel_cost(const KernelTime& time, const Machine& machine);

}  // namespace pto
