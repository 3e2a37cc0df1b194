// How errors name tasks, elements and tiles.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "pto/abi.h"

namespace pto {

// "scale[batch=0, token=5]"
std::string task_name(const pto_kernel& kernel, const pto_site& site, const int64_t* axes);
// "task scale[batch=0, token=5] at layer.py:88"
std::string task_title(const pto_kernel& kernel, const pto_site& site, const int64_t* axes);
// "layer.py:12: tensor 'x'"
std::string tensor_title(const pto_tensor& tensor);
// "[0, 5, 4096]"
std::string list_text(std::span<const int64_t> numbers);
// "[0:32, 5:6]"
std::string box_text(const pto_region& region);

}  // namespace pto
