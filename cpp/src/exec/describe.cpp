#include "exec/describe.h"

namespace pto {

std::string task_name(const pto_kernel& kernel, const pto_site& site, const int64_t* axes) {
  std::string text = kernel.name;
  for (uint32_t i = 0; i < site.axis_count; ++i) {
    text += std::string(i ? ", " : "[") + site.axes[i] + "=" + std::to_string(axes[i]);
  }
  return text + (site.axis_count ? "]" : "");
}

std::string task_title(const pto_kernel& kernel, const pto_site& site, const int64_t* axes) {
  return "task " + task_name(kernel, site, axes) + " at " + site.location;
}

std::string tensor_title(const pto_tensor& tensor) {
  return std::string(tensor.location) + ": tensor '" + tensor.name + "'";
}

std::string list_text(std::span<const int64_t> numbers) {
  std::string text;
  for (const int64_t number : numbers) text += (text.empty() ? "" : ", ") + std::to_string(number);
  return "[" + text + "]";
}

std::string box_text(const pto_region& region) {
  std::string text;
  for (uint32_t d = 0; d < region.rank; ++d) {
    int64_t end = 0;
    // A wild offset wraps around instead of overflowing: it is on its way into a message.
    (void)__builtin_add_overflow(region.offset[d], region.extent[d], &end);
    text += (d ? ", " : "") + std::to_string(region.offset[d]) + ":" + std::to_string(end);
  }
  return "[" + text + "]";
}

}  // namespace pto
