#include "program/values.h"

#include <algorithm>
#include <span>
#include <string>

#include "pto/error.h"

namespace pto {

int64_t element_count(const pto_region& region) {
  int64_t count = 1;
  for (uint32_t d = 0; d < region.rank; ++d) count *= region.extent[d];
  return count;
}

SimulatedValues::SimulatedValues(const pto_program& program, const TensorTable& tensors,
                                 const std::vector<int64_t>& symbols, std::shared_ptr<const ReadLog> log)
    : program_(program),
      tensors_(tensors),
      log_(std::move(log)),
      any_is_read_(std::any_of(program.tensors, program.tensors + program.tensor_count,
                               [](const pto_tensor& tensor) { return tensor.never_read == 0; })),
      written_(program.tensor_count) {
  if (log_ && log_->symbols != symbols) {
    log_.reset();
    other_symbols_ = true;
  }
}

void SimulatedValues::mark_written(const pto_task& task) {
  const pto_kernel& kernel = program_.kernels[task.kernel];
  for (uint32_t i = 0; i < kernel.param_count; ++i) {
    if (kernel.params[i].role != PTO_IN) written_[task.operands[i].tensor] = true;
  }
}

void SimulatedValues::read(const char* location, const pto_region& region, int64_t* values) {
  const pto_tensor& tensor = program_.tensors[region.tensor];
  if (log_) {
    replay(region, values);
  } else if (tensors_.has_values(region.tensor) && !written_[region.tensor]) {
    if (!memory_) {
      memory_ = std::make_unique<Executor>(std::span(program_.kernels, program_.kernel_count),
                                           std::span(program_.sites, program_.site_count), tensors_.bindings(), 1);
    }
    memory_->read(region, values);
  } else if (tensor.source == PTO_SOURCE_ZIPF) {
    routing_.try_emplace(region.tensor, tensor).first->second.read(region, values);
  } else {
    throw ExecutionError(std::string(location) + ": the workload reads tensor '" + tensor.name +
                         "', which has no values: execute first" +
                         (other_symbols_ ? " with these symbols (it was executed with others)" : "") +
                         ", give it data, or declare routing=Zipf(..)");
  }
}

void SimulatedValues::replay(const pto_region& region, int64_t* values) {
  const auto count = static_cast<size_t>(element_count(region));
  if (count > log_->values.size() - next_) {
    throw ExecutionError(std::string("the execution that is replayed did not read '") +
                         program_.tensors[region.tensor].name +
                         "' here: it was another workload's; execute this program first");
  }
  std::copy_n(log_->values.begin() + static_cast<std::ptrdiff_t>(next_), count, values);
  next_ += count;
}

}  // namespace pto
