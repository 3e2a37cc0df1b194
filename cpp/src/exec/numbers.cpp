#include "exec/numbers.h"

#include <algorithm>
#include <string>

#include "exec/describe.h"
#include "pto/error.h"

namespace pto {

void check_numbers(const pto_kernel& kernel, const pto_site& site, const pto_task& task) {
  const auto refuse = [&](const std::string& problem) {
    throw ExecutionError(task_title(kernel, site, task.axes) + ": " + problem);
  };
  for (uint32_t i = 0; i < kernel.number_count; ++i) {
    const pto_number& number = kernel.numbers[i];
    const int64_t value = task.numbers[i];
    if (value >= number.least && value <= number.most) continue;
    refuse("number '" + std::string(number.name) + "': expected " + std::to_string(number.least) + " to " +
           std::to_string(number.most) + ", found " + std::to_string(value));
  }
  for (uint32_t i = 0; i < kernel.loop_count; ++i) {
    const pto_loop& loop = kernel.loops[i];
    const int64_t stop = loop.stop(task.numbers), least = std::min<int64_t>(loop.start, 0);
    if (stop >= least) continue;
    refuse("the end of the tl.range loop at " + std::string(loop.location) + ": expected at least " +
           std::to_string(least) + ", found " + std::to_string(stop));
  }
}

}  // namespace pto
