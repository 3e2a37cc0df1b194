#include <algorithm>
#include <limits>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "cost/core.h"
#include "cost/coster.h"
#include "cost/fragments.h"
#include "cost/lowering.h"
#include "pto/cost.h"
#include "pto/error.h"

namespace pto {
namespace {

using namespace cost;

// A kernel with its loops unrolled in number: fragments that do not run are left out.
class Counted {
 public:
  Counted(const pto_kernel& kernel, const int64_t* trips) : kernel_(kernel) {
    for (uint32_t i = 0; i < kernel.fragment_count; ++i) {
      pto_fragment fragment = kernel.fragments[i];
      fragment.trips = product(fragment, trips, kernel.loop_count);
      if (fragment.trips > 0 || fragment.loops == 0) fragments_.push_back(fragment);
    }
    kernel_.fragments = fragments_.data();
    kernel_.fragment_count = static_cast<uint32_t>(fragments_.size());
  }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  const pto_kernel& kernel() const { return kernel_; }

 private:
  // Stops at the ends of 64 bits, which is more than the model takes.
  static int64_t product(const pto_fragment& fragment, const int64_t* trips, uint32_t loops) {
    int64_t all = fragment.trips;
    for (uint32_t i = 0; i < loops; ++i) {
      if ((fragment.loops >> i & 1) == 0) continue;
      if (trips[i] == 0) return 0;
      if (__builtin_mul_overflow(all, trips[i], &all)) all = std::numeric_limits<int64_t>::max();
    }
    return all;
  }

  pto_kernel kernel_;
  std::vector<pto_fragment> fragments_;
};

Coster run_stages(const pto_kernel& kernel, const Core& core) {
  Coster coster(core, kernel.unit == PTO_CUBE);
  for (const Stage& stage : lower(kernel)) {
    std::visit([&](const auto& work) { coster.run(work); }, stage);
  }
  return coster;
}

// Arithmetic at full rate, transfers once: neither padding nor heads, nothing read again.
class Ideal {
 public:
  Ideal(const Core& core, const pto_kernel& kernel)
      : core_(core), on_cube_(kernel.unit == PTO_CUBE), to_l1_(loads_of_matmuls(kernel)) {
    for (uint32_t i = 0; i < kernel.fragment_count; ++i) add(kernel.fragments[i], to_l1_[i]);
  }
  int64_t operations() const { return operations_; }
  int64_t cycles() const {
    const int64_t cores = on_cube_ ? core_.cube.paired_vector : 1;
    return static_cast<int64_t>(ceil_cycles(std::max({cube_, to_l1_time_, vector_ / cores, to_ub_ / cores})));
  }

 private:
  void add(const pto_fragment& f, bool to_l1) {
    if (is_load(f)) {
      (to_l1 ? to_l1_time_ : to_ub_) += (to_l1 ? core_.cube.gm_to_l1 : core_.vector.gm_to_ub)(f.bytes) * f.trips;
    } else if (is_matmul(f)) {
      operations_ += 2 * f.m * f.k * f.n * f.trips;
      cube_ += multiply(f);
    } else if (!is_store(f)) {
      operations_ += f.m * f.n * f.trips;
      const Compute op = compute(f);
      if (on_cube_ && std::string_view(f.op) == "cast") return;  // what leaves l0c is converted on the way
      vector_ += least_vector_time(core_.vector, *op.op, op.rows, op.cols, op.element_bytes) * f.trips;
    }
  }

  Ticks multiply(const pto_fragment& f) const {
    const CubeCore& cube = core_.cube;
    const int64_t bytes = compute(f).element_bytes;
    const Ticks step = static_cast<Ticks>(cube.rows) * cube.columns * std::max<int64_t>(1, cube.depth / bytes);
    const int64_t passes = bytes == 4 ? cube.passes_4_bytes : 1;
    return ticks(1) * f.m * f.k * f.n / step * passes * f.trips;
  }

  const Core& core_;
  bool on_cube_;
  std::vector<bool> to_l1_;
  int64_t operations_ = 0;
  Ticks cube_ = 0, vector_ = 0, to_l1_time_ = 0, to_ub_ = 0;
};

template <typename Run>
auto located(const pto_kernel& kernel, const std::string& origin, Run run) {
  try {
    return run();
  } catch (const FragmentError& error) {
    throw MachineError(std::string(kernel.location) + ": kernel `" + kernel.name + "` has no cost on " + origin + ": " +
                       error.what());
  }
}

KernelCost cost_of(const pto_kernel& kernel, const Core& core, const int64_t* trips) {
  const Counted counted(kernel, trips);
  return run_stages(counted.kernel(), core).result(counted.kernel());
}

LoopReport loop_report(const pto_kernel& kernel, const Core& core, uint32_t loop) {
  // Long enough for pipes to be full, and for a cycle of rounding to be small.
  constexpr int64_t kLong = 1024;
  std::vector<int64_t> trips(kernel.loop_count, 1);
  trips[loop] = kLong;
  const Counted few(kernel, trips.data());
  trips[loop] = 2 * kLong;
  const Counted many(kernel, trips.data());
  const KernelCost less = run_stages(few.kernel(), core).result(few.kernel());
  const KernelCost more = run_stages(many.kernel(), core).result(many.kernel());
  const int64_t cycles = more.load + more.compute + more.store - less.load - less.compute - less.store;
  const int64_t operations = Ideal(core, many.kernel()).operations() - Ideal(core, few.kernel()).operations();
  return {kernel.loops[loop].location, static_cast<double>(cycles) / kLong, (more.bytes - less.bytes) / kLong,
          (more.moved_bytes - less.moved_bytes) / kLong, operations / kLong};
}

}  // namespace

KernelCost kernel_cost(const pto_kernel& kernel, const Machine& machine) {
  const std::vector<int64_t> none(kernel.loop_count, 0);
  return located(kernel, machine.origin(), [&] { return cost_of(kernel, Core(machine), none.data()); });
}

CostFunction cost_function(const pto_kernel& kernel, const Machine& machine) {
  const CostFunction function = [&kernel, core = Core(machine), origin = machine.origin()](const int64_t* trips) {
    return located(kernel, origin, [&] { return cost_of(kernel, core, trips); });
  };
  const std::vector<int64_t> once(kernel.loop_count, 1);
  function(once.data());
  return function;
}

std::vector<int64_t> loaded_bytes(const pto_kernel& with_loops, const int64_t* trips) {
  const Counted counted(with_loops, trips);
  const pto_kernel& kernel = counted.kernel();
  std::vector<int64_t> bytes(kernel.param_count, 0);
  for (uint32_t i = 0; i < kernel.fragment_count; ++i) {
    const pto_fragment& f = kernel.fragments[i];
    if (is_load(f)) bytes.at(static_cast<size_t>(f.param)) += f.bytes * f.trips;
  }
  return bytes;
}

KernelReport kernel_report(const pto_kernel& with_loops, const Machine& machine) {
  return located(with_loops, machine.origin(), [&] {
    const Core core(machine);
    const std::vector<int64_t> none(with_loops.loop_count, 0);
    const Counted counted(with_loops, none.data());
    const pto_kernel& kernel = counted.kernel();
    const Coster coster = run_stages(kernel, core);
    const Ideal ideal(core, kernel);
    KernelReport report;
    report.name = kernel.name;
    report.location = kernel.location;
    report.unit = static_cast<pto_unit>(kernel.unit);
    report.cost = coster.result(kernel);
    coster.describe(report);
    report.operations = ideal.operations();
    report.roofline = ideal.cycles();
    for (uint32_t i = 0; i < kernel.loop_count; ++i) report.loops.push_back(loop_report(with_loops, core, i));
    return report;
  });
}

}  // namespace pto
