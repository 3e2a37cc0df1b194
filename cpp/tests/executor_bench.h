// Tensors, kernels and sites for tests of the executor.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "pto/error.h"
#include "pto/executor.h"

namespace pto::test {

// Builds a program as the executor takes it. Everything stays where it is as long as the bench lives.
class ExecutorBench {
 public:
  using Body = void (*)(pto_call*);

  // Adds a tensor of zeros; a procedural one has no memory.
  template <typename Element>
  Element* add_tensor(const char* name, pto_dtype dtype, std::vector<int64_t> extent, pto_tensor_role role) {
    size_t bytes = sizeof(Element);
    for (const int64_t n : extent) bytes *= static_cast<size_t>(n);
    memory_.emplace_back(bytes);
    add_binding(name, dtype, extent, role, PTO_SOURCE_MEMORY, memory_.back().data());
    return reinterpret_cast<Element*>(memory_.back().data());
  }
  void add_random(const char* name, pto_dtype dtype, std::vector<int64_t> extent, double scale) {
    add_binding(name, dtype, extent, PTO_CONSTANT, PTO_SOURCE_RANDOM, nullptr);
    tensors.back().info.parameter = scale;
    tensors.back().info.seed = 7;
  }
  void add_without_values(const char* name, pto_dtype dtype, std::vector<int64_t> extent) {
    add_binding(name, dtype, extent, PTO_INPUT, PTO_SOURCE_NONE, nullptr);
  }

  // Adds a kernel and a site of it, "test.py:<number>", with the axis "i". Returns their common index.
  uint32_t add_kernel(const char* name, std::vector<pto_param> params, Body body, int64_t scratch_bytes = 4096) {
    static const char* const kAxes[] = {"i"};
    params_.push_back(std::move(params));
    locations_.push_back("test.py:" + std::to_string(kernels.size() + 1));
    const char* location = locations_.back().c_str();
    const auto index = static_cast<uint32_t>(kernels.size());
    kernels.push_back({name, location, PTO_VECTOR, static_cast<uint32_t>(params_.back().size()), params_.back().data(),
                       0, nullptr, scratch_bytes, body, 0, nullptr, 0, nullptr});
    sites.push_back({index, location, 1, kAxes, 1});
    return index;
  }

  static void submit(Executor& executor, uint32_t kernel, int64_t axis, const std::vector<pto_region>& operands) {
    executor.submit({kernel, kernel, &axis, operands.data(), 0, nullptr, nullptr, nullptr});
  }

  std::vector<pto_kernel> kernels;
  std::vector<pto_site> sites;
  std::vector<TensorBinding> tensors;

 private:
  void add_binding(const char* name, pto_dtype dtype, const std::vector<int64_t>& extent, pto_tensor_role role,
                   pto_source source, void* data) {
    pto_tensor info{};
    info.name = name;
    info.location = "test.py:100";
    info.dtype = static_cast<uint8_t>(dtype);
    info.source = static_cast<uint8_t>(source);
    info.role = static_cast<uint8_t>(role);
    info.rank = static_cast<uint32_t>(extent.size());
    for (size_t d = 0; d < extent.size(); ++d) info.extent[d] = extent[d];
    tensors.push_back({info, data});
  }

  std::deque<std::vector<char>> memory_;
  std::deque<std::vector<pto_param>> params_;
  std::deque<std::string> locations_;
};

inline pto_region region(uint32_t tensor, const std::vector<int64_t>& offset, const std::vector<int64_t>& extent) {
  pto_region box{};
  box.tensor = tensor;
  box.rank = static_cast<uint32_t>(offset.size());
  for (size_t d = 0; d < offset.size(); ++d) {
    box.offset[d] = offset[d];
    box.extent[d] = extent[d];
  }
  return box;
}

inline std::string failure(const std::function<void()>& action) {
  try {
    action();
  } catch (const ExecutionError& error) {
    return error.what();
  } catch (const Stopped&) {
    return "stopped";
  }
  return "no error";
}

}  // namespace pto::test
