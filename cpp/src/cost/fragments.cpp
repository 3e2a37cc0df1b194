#include "cost/fragments.h"

#include <span>
#include <string>

#include "cost/lowering.h"
#include "pto/dtype.h"

namespace pto::cost {
namespace {

// 9 * 10^15 multiplications or bytes in one task: beyond it, times in ticks could overflow.
constexpr int64_t kMostWork = int64_t{1} << 53;

std::span<const pto_fragment> fragments(const pto_kernel& kernel) { return {kernel.fragments, kernel.fragment_count}; }

bool too_large(std::initializer_list<int64_t> factors) {
  Ticks product = 1;
  for (const int64_t factor : factors) {
    product *= factor;
    if (product > kMostWork) return true;
  }
  return false;
}

std::string shape(const pto_fragment& f) {
  return std::to_string(f.m) + " x " + std::to_string(f.k) + " x " + std::to_string(f.n);
}

bool feeds(const pto_fragment& load, const pto_fragment& matmul, int64_t rows, int64_t cols) {
  const bool same = load.m == rows && load.n == cols;
  const bool transposed = load.m == cols && load.n == rows;
  return is_load(load) && load.dtype == matmul.dtype && load.trips <= matmul.trips && (same || transposed);
}

bool any_feeds(const pto_kernel& kernel, const pto_fragment& matmul, int64_t rows, int64_t cols) {
  for (const pto_fragment& f : fragments(kernel)) {
    if (feeds(f, matmul, rows, cols)) return true;
  }
  return false;
}

}  // namespace

void check_fragment(const pto_kernel& kernel, const pto_fragment& f) {
  if (f.op == nullptr) throw FragmentError("a fragment without an op");
  const std::string op = "op `" + std::string(f.op) + "`";
  if (f.dtype > PTO_F8E5M2) throw FragmentError(op + " has an unknown dtype, " + std::to_string(f.dtype));
  if (!is_load(f) && !is_store(f) && !is_matmul(f) && vector_op(f.op) == nullptr) {
    throw FragmentError(op + " is not known to the cost model");
  }
  if (f.m < 1 || f.k < 1 || f.n < 1 || f.trips < 1 || f.bytes < 0) {
    throw FragmentError(op + ": expected extents and trips of at least 1 and bytes of at least 0, found " + shape(f) +
                        ", " + std::to_string(f.trips) + " trips, " + std::to_string(f.bytes) + " bytes");
  }
  if (too_large({f.m, f.k, f.n, f.trips, 8}) || too_large({f.bytes, f.trips})) {
    throw FragmentError(op + " is too large: " + shape(f) + ", " + std::to_string(f.trips) + " trips");
  }
  if (!is_matmul(f)) return;
  if (kernel.unit != PTO_CUBE) throw FragmentError(op + " needs a cube core, and the kernel's unit is vector");
  if (dtype_info(f.dtype).bytes > 4) {
    throw FragmentError(op + ": the cube multiplies elements of at most 4 bytes, found " + dtype_info(f.dtype).name);
  }
}

Transfer transfer(const pto_fragment& f) { return {f.m, f.n, dtype_info(f.dtype).bytes, f.bytes, f.trips}; }

Compute compute(const pto_fragment& f) { return {vector_op(f.op), f.m, f.n, dtype_info(f.dtype).bytes, f.trips}; }

std::vector<bool> loads_of_matmuls(const pto_kernel& kernel) {
  std::vector<bool> taken(kernel.fragment_count);
  const auto take_one = [&](const pto_fragment& matmul, int64_t rows, int64_t cols) {
    for (size_t i = 0; i < taken.size(); ++i) {
      if (!taken[i] && feeds(kernel.fragments[i], matmul, rows, cols)) {
        taken[i] = true;
        return;
      }
    }
  };
  for (const pto_fragment& f : fragments(kernel)) {
    if (!is_matmul(f)) continue;
    take_one(f, f.m, f.k);
    take_one(f, f.k, f.n);
  }
  return taken;
}

bool left_is_loaded(const pto_kernel& kernel, const pto_fragment& f) { return any_feeds(kernel, f, f.m, f.k); }

bool right_is_loaded(const pto_kernel& kernel, const pto_fragment& f) { return any_feeds(kernel, f, f.k, f.n); }

}  // namespace pto::cost
