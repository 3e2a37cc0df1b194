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
  void check(const pto_task& task) const {
    for (uint32_t p = first_pair_[task.kernel], end = first_pair_[task.kernel + 1]; p < end; ++p) {
      const pto_region &a = task.operands[pairs_[p].a], &b = task.operands[pairs_[p].b];
      if (a.tensor == b.tensor && share_elements(a, b)) refuse(task, pairs_[p]);
    }
  }

 private:
  // Parameters a and b of a kernel, a below b, one of them written.
  struct Pair {
    uint32_t a, b;
  };

  static bool is_empty(const pto_region& region);
  static bool share_elements(const pto_region& a, const pto_region& b);
  [[noreturn]] void refuse(const pto_task& task, const Pair& pair) const;

  const pto_program& program_;
  std::vector<Pair> pairs_;           // kernel after kernel
  std::vector<uint32_t> first_pair_;  // by kernel; the last entry is the number of pairs
};

// Most are told apart by their first axis.
inline bool AliasCheck::share_elements(const pto_region& a, const pto_region& b) {
  for (uint32_t d = 0; d < a.rank; ++d) {
    if (a.offset[d] >= b.offset[d] + b.extent[d] || b.offset[d] >= a.offset[d] + a.extent[d]) return false;
  }
  return !is_empty(a) && !is_empty(b);
}

}  // namespace pto
