#include "cost/coster.h"

#include <algorithm>
#include <string>

namespace pto::cost {
namespace {

int64_t cycles(Ticks time) {
  const Ticks whole = ceil_cycles(time);
  if (whole > (Ticks{1} << 53)) throw FragmentError("its time is beyond 2^53 cycles");
  return static_cast<int64_t>(whole);
}

void raise(int64_t& most, int64_t value) { most = std::max(most, value); }

std::string matmul_buffers(const CubeCore& core) {
  return "l0a has " + std::to_string(core.l0a) + " bytes, l0b " + std::to_string(core.l0b) + ", l0c " +
         std::to_string(core.l0c) + ", l1 " + std::to_string(core.l1);
}

}  // namespace

void Coster::run(const MatmulWork& work) {
  const auto plan = plan_matmul(core_.cube, work.matmul);
  if (!plan) {
    throw FragmentError("no block of a matmul fits, two of " + std::to_string(core_.cube.rows) + " x " +
                        std::to_string(core_.cube.columns) +
                        " results with what they are made of: " + matmul_buffers(core_.cube));
  }
  const int64_t trips = work.matmul.trips;
  const int64_t first_bytes =
      (work.left_loaded ? plan->first_left_bytes : 0) + (work.right_loaded ? plan->first_right_bytes : 0);
  const int64_t loaded = (plan->left_bytes + plan->right_bytes) * trips, stored = work.matmul.out_bytes * trips;
  run_stage(kLoadL1, plan->phases, work.independent(), first_bytes, loaded);
  // Waiting for l0c is no work.
  busy_[kCube] += plan->multiplying - plan->phases[2].total;
  bytes_[kLoadL1] += loaded;
  bytes_[kLoadL0] += plan->l0_bytes * trips;
  bytes_[kDrainL0c] += stored;
  moved_bytes_ += loaded + stored;
  raise(most_.l1, plan->l1);
  raise(most_.l0a, plan->l0a);
  raise(most_.l0b, plan->l0b);
  raise(most_.l0c, plan->l0c);
}

void Coster::run(const VectorWork& work) {
  // The paired cores of a cube core share its rows.
  const int64_t cores = on_cube_ ? std::min(core_.cube.paired_vector, work.rows()) : 1;
  const VectorWork part = cores > 1 ? share(work, cores) : work;
  const auto plan = plan_vector(core_.vector, part);
  if (!plan) {
    throw FragmentError("its vector work needs at least " + std::to_string(ub_bytes(core_.vector, part)) +
                        " bytes of ub, which has " + std::to_string(core_.vector.ub));
  }
  if (on_cube_) borrowed_ += duration(plan->phases) * cores;
  run_stage(kLoadUb, plan->phases, false, plan->first_bytes * cores, plan->loaded_bytes * cores);
  bytes_[kLoadUb] += plan->loaded_bytes;
  bytes_[kStoreUb] += plan->stored_bytes;
  moved_bytes_ += (plan->loaded_bytes + plan->stored_bytes) * cores;
  raise(most_.ub, plan->ub);
}

template <size_t N>
void Coster::run_stage(Pipe first, const std::array<Phase, N>& phases, bool independent, int64_t first_bytes,
                       int64_t loaded_bytes) {
  const Ticks before = timeline_.end();
  if (before == 0) {
    // Nothing but loading: all of it precedes the first other op.
    const bool only_loads = std::all_of(phases.begin() + 1, phases.end(), [](const Phase& p) { return p.total == 0; });
    load_ = only_loads ? phases[0].total : phases[0].first;
    first_bytes_ = only_loads ? loaded_bytes : first_bytes;
  }
  last_ = timeline_.run(first, phases, independent);
  // What comes last may overlap with an earlier stage that ends later.
  last_.compute_end = std::max(last_.compute_end, before);
  for (size_t i = 0; i < N; ++i) busy_.at(first + i) += phases[i].total;
}

KernelCost Coster::result(const pto_kernel& kernel) const {
  KernelCost cost;
  const auto end = cycles(timeline_.end());
  const auto compute_end = cycles(last_.compute_end);
  cost.load = cycles(load_);
  cost.store = end - std::max(compute_end, cost.load);
  cost.compute = std::max<int64_t>(end, 1) - cost.load - cost.store;
  cost.read_bytes = 0;
  for (uint32_t i = 0; i < kernel.fragment_count; ++i) {
    const pto_fragment& f = kernel.fragments[i];
    cost.bytes += f.bytes * f.trips;
    if (f.pipe == PTO_PIPE_LOAD) cost.read_bytes += f.bytes * f.trips;
  }
  cost.load_bytes = std::min(cost.read_bytes, first_bytes_);
  cost.moved_bytes = std::max(moved_bytes_, cost.bytes);
  cost.borrowed_vector = cycles(borrowed_);
  cost.bound_by = bound_by(timeline_.end());
  return cost;
}

void Coster::describe(KernelReport& report) const {
  constexpr std::array<const char*, kPipes> kNames = {"gm -> l1", "l1 -> l0", "cube",    "l0c -> gm",
                                                      "gm -> ub", "vector",   "ub -> gm"};
  for (size_t i = 0; i < kPipes; ++i) {
    if (busy_.at(i) > 0) report.pipes.push_back({kNames.at(i), cycles(busy_.at(i)), bytes_.at(i)});
  }
  const auto add = [&report](const char* name, int64_t used, int64_t size) {
    if (used > 0) report.buffers.push_back({name, used, size});
  };
  add("l1", most_.l1, core_.cube.l1);
  add("l0a", most_.l0a, core_.cube.l0a);
  add("l0b", most_.l0b, core_.cube.l0b);
  add("l0c", most_.l0c, core_.cube.l0c);
  add("ub", most_.ub, core_.vector.ub);
}

// The pipe with most work; where even that one is idle most of the time, the way from pipe to pipe.
const char* Coster::bound_by(Ticks duration) const {
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
  const Named& busiest = *std::max_element(kNames.begin(), kNames.end(), less);
  return 2 * busy_.at(busiest.pipe) < duration ? "latency" : busiest.name;
}

}  // namespace pto::cost
