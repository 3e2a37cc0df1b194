#include <algorithm>
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
auto located(const pto_kernel& kernel, const Machine& machine, Run run) {
  try {
    return run(Core(machine));
  } catch (const FragmentError& error) {
    throw MachineError(std::string(kernel.location) + ": kernel `" + kernel.name + "` has no cost on " +
                       machine.origin() + ": " + error.what());
  }
}

}  // namespace

KernelCost kernel_cost(const pto_kernel& kernel, const Machine& machine) {
  return located(kernel, machine, [&](const Core& core) { return run_stages(kernel, core).result(kernel); });
}

KernelReport kernel_report(const pto_kernel& kernel, const Machine& machine) {
  return located(kernel, machine, [&](const Core& core) {
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
    return report;
  });
}

}  // namespace pto
