#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "cost/core.h"
#include "cost/lowering.h"
#include "cost/pipeline.h"
#include "pto/cost.h"
#include "pto/error.h"

namespace pto {
namespace {

using namespace cost;

// Runs a kernel's stages on the pipes of a core.
class Coster {
 public:
  Coster(const Core& core, bool on_cube) : core_(core), on_cube_(on_cube) {}

  void run(const MatmulWork& work) {
    const auto plan = plan_matmul(core_.cube, work.matmul);
    if (!plan) throw FragmentError("no block of a matmul fits into l0a, l0b, l0c and l1");
    const int64_t first_bytes =
        (work.left_loaded ? plan->first_left_bytes : 0) + (work.right_loaded ? plan->first_right_bytes : 0);
    run_stage(kLoadL1, plan->phases, work.independent(), first_bytes);
  }

  void run(const VectorWork& work) {
    // The paired cores of a cube core share its rows.
    const int64_t cores = on_cube_ ? std::min(core_.cube.paired_vector, work.rows()) : 1;
    const VectorWork part = cores > 1 ? share(work, cores) : work;
    const auto plan = plan_vector(core_.vector, part);
    if (!plan) {
      throw FragmentError("its vector work needs at least " + std::to_string(ub_bytes(core_.vector, part)) +
                          " bytes of ub, which has " + std::to_string(core_.vector.ub));
    }
    if (on_cube_) borrowed_ += duration(plan->phases) * cores;
    run_stage(kLoadUb, plan->phases, false, plan->first_bytes * cores);
  }

  KernelCost result(const pto_kernel& kernel) const {
    KernelCost cost;
    const auto end = cycles(timeline_.end());
    const auto compute_end = cycles(last_.compute_end);
    cost.load = cycles(load_);
    cost.store = end - std::max(compute_end, cost.load);
    cost.compute = std::max<int64_t>(end, 1) - cost.load - cost.store;
    for (uint32_t i = 0; i < kernel.fragment_count; ++i) {
      const pto_fragment& f = kernel.fragments[i];
      cost.bytes += f.bytes * f.trips;
      if (f.pipe == PTO_PIPE_LOAD) cost.load_bytes += f.bytes * f.trips;
    }
    cost.load_bytes = std::min(cost.load_bytes, first_bytes_);
    cost.borrowed_vector = cycles(borrowed_);
    cost.bound_by = busiest();
    return cost;
  }

 private:
  template <size_t N>
  void run_stage(Pipe first, const std::array<Phase, N>& phases, bool independent, int64_t first_bytes) {
    if (timeline_.end() == 0) {
      // Nothing but loading: all of it precedes the first other op.
      const bool only_loads =
          std::all_of(phases.begin() + 1, phases.end(), [](const Phase& p) { return p.total == 0; });
      load_ = only_loads ? phases[0].total : phases[0].first;
      first_bytes_ = first_bytes;
    }
    const Ticks before = timeline_.end();
    last_ = timeline_.run(first, phases, independent);
    // What comes last may overlap with an earlier stage that ends later.
    last_.compute_end = std::max(last_.compute_end, before);
    for (size_t i = 0; i < N; ++i) busy_.at(first + i) += phases[i].total;
  }

  const char* busiest() const {
    struct Named {
      Pipe pipe;
      const char* name;
    };
    constexpr std::array<Named, kPipes> kNames = {{{kCube, "cube"},
                                                   {kVector, "vector"},
                                                   {kLoadL1, "load"},
                                                   {kLoadL0, "load"},
                                                   {kLoadUb, "load"},
                                                   {kDrainL0c, "store"},
                                                   {kStoreUb, "store"}}};
    const auto less = [this](const Named& a, const Named& b) { return busy_.at(a.pipe) < busy_.at(b.pipe); };
    return std::max_element(kNames.begin(), kNames.end(), less)->name;
  }

  static int64_t cycles(Ticks time) {
    const Ticks whole = ceil_cycles(time);
    if (whole > (Ticks{1} << 53)) throw FragmentError("its time is beyond 2^53 cycles");
    return static_cast<int64_t>(whole);
  }

  const Core& core_;
  bool on_cube_;
  Timeline timeline_;
  Timeline::Stage last_{};
  std::array<Ticks, kPipes> busy_{};
  Ticks load_ = 0;
  Ticks borrowed_ = 0;
  int64_t first_bytes_ = 0;
};

}  // namespace

KernelCost kernel_cost(const pto_kernel& kernel, const Machine& machine) {
  try {
    const Core core(machine);
    Coster coster(core, kernel.unit == PTO_CUBE);
    for (const Stage& stage : lower(kernel)) {
      std::visit([&](const auto& work) { coster.run(work); }, stage);
    }
    return coster.result(kernel);
  } catch (const FragmentError& error) {
    throw MachineError(std::string(kernel.location) + ": kernel `" + kernel.name + "` has no cost on " +
                       machine.origin() + ": " + error.what());
  }
}

}  // namespace pto
