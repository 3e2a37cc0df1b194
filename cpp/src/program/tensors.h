// The tensors of a session: which memory each has, and whether it holds values.
#pragma once

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "pto/executor.h"
#include "pto/session.h"

namespace pto {

class TensorTable {
 public:
  explicit TensorTable(const pto_program& program);

  // See Session::bind and Session::data.
  void bind(const std::string& name, const TensorData& data);
  const void* data(const std::string& name) const;

  // Gives memory to every tensor that needs some in an execution, and values to inputs that declare a synthetic
  // source. Throws ExecutionError for an input without values.
  void prepare();

  // As the executor takes them; stable until the next bind or prepare.
  const std::vector<TensorBinding>& bindings() const { return bindings_; }
  // Whether the tensor's elements are there before any task writes them.
  bool has_values(uint32_t tensor) const;

 private:
  struct Free {
    void operator()(void* memory) const { std::free(memory); }
  };

  size_t index_of(const std::string& name) const;
  void allocate(size_t index);
  void fill_synthetic(size_t index);

  const pto_program& program_;
  std::vector<TensorBinding> bindings_;
  std::vector<bool> given_;  // bound with values
  std::vector<std::unique_ptr<void, Free>> owned_;
};

bool lies_in(const pto_region& region, const pto_tensor& tensor);

// Throws ExecutionError where a box leaves its tensor; `what` is the beginning of the message.
void check_region(const pto_region& region, const pto_tensor& tensor, const std::string& what);

}  // namespace pto
