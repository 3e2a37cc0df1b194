// A kernel's loads and stores have no order among its parameters, so none may write what another one touches.
#pragma once

#include <cstdint>
#include <vector>

#include "pto/abi.h"

namespace pto {

class AliasCheck {
 public:
  explicit AliasCheck(const pto_program& program);

  // Throws ExecutionError where two operands share elements and one of them is written.
  void check(const pto_task& task) const;

 private:
  // Parameters a and b of a kernel, a below b, one of them written.
  struct Pair {
    uint32_t a, b;
  };

  [[noreturn]] void refuse(const pto_task& task, const Pair& pair) const;

  const pto_program& program_;
  std::vector<std::vector<Pair>> pairs_;  // by kernel
};

}  // namespace pto
