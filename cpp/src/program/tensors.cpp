#include "program/tensors.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>

#include "program/zipf.h"
#include "pto/dtype.h"
#include "pto/error.h"

namespace pto {
namespace {

std::string shape_text(std::span<const int64_t> extent) {
  std::string text;
  for (int64_t n : extent) text += (text.empty() ? "" : ", ") + std::to_string(n);
  return "[" + text + "]";
}

std::span<const int64_t> shape(const pto_tensor& tensor) { return {tensor.extent, tensor.rank}; }

std::string title(const pto_tensor& tensor) { return std::string(tensor.location) + ": tensor '" + tensor.name + "'"; }

bool is_written(const pto_tensor& tensor) { return tensor.role == PTO_OUTPUT || tensor.role == PTO_TEMPORARY; }

size_t element_count(const pto_tensor& tensor) {
  size_t count = 1;
  for (int64_t n : shape(tensor)) {
    if (__builtin_mul_overflow(count, static_cast<size_t>(n), &count)) count = SIZE_MAX;
  }
  return count;
}

}  // namespace

TensorTable::TensorTable(const pto_program& program)
    : program_(program), given_(program.tensor_count), owned_(program.tensor_count) {
  for (uint32_t i = 0; i < program.tensor_count; ++i) bindings_.push_back({program.tensors[i], nullptr});
}

size_t TensorTable::index_of(const std::string& name) const {
  std::string known;
  for (size_t i = 0; i < bindings_.size(); ++i) {
    if (bindings_[i].info.name == name) return i;
    known += (i ? ", " : "") + std::string(bindings_[i].info.name);
  }
  throw ExecutionError("the program has no tensor '" + name + "'; its tensors are: " + known);
}

void TensorTable::bind(const std::string& name, const TensorData& data) {
  const size_t index = index_of(name);
  TensorBinding& binding = bindings_[index];
  const pto_tensor& info = program_.tensors[index];
  if (data.dtype != info.dtype || !std::ranges::equal(data.extent, shape(info))) {
    throw ExecutionError(title(info) + ": expected " + dtype_info(info.dtype).name + " of shape " +
                         shape_text(shape(info)) + ", found " + dtype_info(static_cast<uint8_t>(data.dtype)).name +
                         " of shape " + shape_text(data.extent));
  }
  owned_[index].reset();
  given_[index] = data.has_values;
  binding.data = data.data;
  binding.has_values = data.has_values;
  binding.info.source = data.has_values ? static_cast<uint8_t>(PTO_SOURCE_MEMORY) : info.source;
}

const void* TensorTable::data(const std::string& name) const { return bindings_[index_of(name)].data; }

bool TensorTable::has_values(uint32_t tensor) const {
  return given_[tensor] || bindings_[tensor].info.source == PTO_SOURCE_RANDOM;
}

void TensorTable::prepare() {
  for (size_t i = 0; i < bindings_.size(); ++i) {
    const pto_tensor& info = bindings_[i].info;
    const bool procedural = info.source == PTO_SOURCE_RANDOM && !is_written(info);
    if (given_[i] || procedural) continue;
    const bool drawn = info.source == PTO_SOURCE_ZIPF;
    if (!is_written(info) && !drawn) {
      throw ExecutionError(title(info) +
                           " has no values and no task writes it: give it data, or simulate the program instead of "
                           "executing it");
    }
    allocate(i);
    bindings_[i].has_values = !is_written(info);
    if (!is_written(info)) fill_synthetic(i);
  }
}

void TensorTable::allocate(size_t index) {
  TensorBinding& binding = bindings_[index];
  if (binding.info.source == PTO_SOURCE_RANDOM) binding.info.source = PTO_SOURCE_NONE;
  if (binding.data) return;
  const auto bytes = static_cast<size_t>(dtype_info(binding.info.dtype).bytes);
  owned_[index].reset(std::calloc(element_count(binding.info), bytes));
  if (!owned_[index]) {
    throw ExecutionError(title(binding.info) + " of shape " + shape_text(shape(binding.info)) +
                         " does not fit into memory");
  }
  binding.data = owned_[index].get();
}

void TensorTable::fill_synthetic(size_t index) {
  const TensorBinding& binding = bindings_[index];
  const DtypeInfo& dtype = dtype_info(binding.info.dtype);
  const int64_t bits = 8 * dtype.bytes - (dtype.name[0] == 'u' ? 0 : 1);
  const bool narrow = bits < 63 && binding.info.zipf_values > int64_t{1} << bits;
  if (!dtype.integer || narrow) {
    throw ExecutionError(title(binding.info) + ": expected an integer dtype that holds values below " +
                         std::to_string(binding.info.zipf_values) + " for synthetic routing, found " + dtype.name);
  }
  pto_region all{};
  all.rank = binding.info.rank;
  std::copy_n(binding.info.extent, all.rank, all.extent);
  std::vector<int64_t> values(element_count(binding.info));
  ZipfRouting(binding.info).read(all, values.data());
  // A narrower integer is the low end of a wider one.
  auto* target = static_cast<char*>(binding.data);
  for (const int64_t& value : values) {
    std::memcpy(target, &value, static_cast<size_t>(dtype.bytes));
    target += dtype.bytes;
  }
}

bool lies_in(const pto_region& region, const pto_tensor& tensor) {
  bool inside = region.rank == tensor.rank;
  for (uint32_t d = 0; inside && d < region.rank; ++d) {
    inside = region.offset[d] >= 0 && region.extent[d] >= 0 && region.offset[d] <= tensor.extent[d] &&
             region.extent[d] <= tensor.extent[d] - region.offset[d];
  }
  return inside;
}

void check_region(const pto_region& region, const pto_tensor& tensor, const std::string& what) {
  if (lies_in(region, tensor)) return;
  std::string box;
  for (uint32_t d = 0; d < region.rank; ++d) {
    // Unsigned: a wild offset must not overflow on its way into the message.
    const auto end = static_cast<uint64_t>(region.offset[d]) + static_cast<uint64_t>(region.extent[d]);
    box += (d ? ", " : "") + std::to_string(region.offset[d]) + ":" + std::to_string(static_cast<int64_t>(end));
  }
  throw ExecutionError(what + "[" + box + "] leaves tensor '" + tensor.name + "' of shape " +
                       shape_text(shape(tensor)));
}

}  // namespace pto
