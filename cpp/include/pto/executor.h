// Runs kernels on real numbers, on host threads, in an order that sound overlap and program order allow.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "pto/abi.h"

namespace pto {

// Where a tensor's elements are. `data` is dense, row-major; null for a procedural tensor.
struct TensorBinding {
  pto_tensor info;
  void* data = nullptr;
  bool has_values = true;  // false: only what tasks have written may be read
};

class Executor {
 public:
  // `threads` >= 1. The spans must outlive the executor.
  Executor(std::span<const pto_kernel> kernels, std::span<const pto_site> sites, std::span<const TensorBinding> tensors,
           int threads);
  // Stops the threads; tasks that have not begun are dropped.
  ~Executor();

  // Blocks while too many tasks are waiting. Throws ExecutionError where an earlier task failed, or where a
  // region of a checked site leaves its tensor.
  void submit(const pto_task& task);
  // Waits for the region's writers, then widens its elements (row-major) into `values`.
  // Throws ExecutionError for a NaN or a value without an integer.
  void read(const pto_region& region, int64_t* values);
  // Waits until every task has run. Rethrows the first error in order of task ids.
  void finish();
  void cancel();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pto
