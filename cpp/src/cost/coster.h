// Runs a kernel's stages on the pipes of a core, and adds up what they take.
#pragma once

#include <array>
#include <cstdint>

#include "cost/core.h"
#include "cost/lowering.h"
#include "cost/pipeline.h"
#include "pto/cost.h"

namespace pto::cost {

class Coster {
 public:
  Coster(const Core& core, bool on_cube) : core_(core), on_cube_(on_cube) {}

  // Stage after stage. Throws FragmentError for work that does not fit.
  void run(const MatmulWork& work);
  void run(const VectorWork& work);

  KernelCost result(const pto_kernel& kernel) const;
  // Pipes and buffers.
  void describe(KernelReport& report) const;

 private:
  struct Buffers {
    int64_t l1 = 0, l0a = 0, l0b = 0, l0c = 0, ub = 0;
  };
  template <size_t N>
  void run_stage(Pipe first, const std::array<Phase, N>& phases, bool independent, int64_t first_bytes,
                 int64_t loaded_bytes);
  const char* bound_by(Ticks duration) const;

  const Core& core_;
  bool on_cube_;
  Timeline timeline_;
  Timeline::Stage last_{};
  std::array<Ticks, kPipes> busy_{};
  std::array<int64_t, kPipes> bytes_{};
  Buffers most_;
  Ticks load_ = 0;
  Ticks borrowed_ = 0;
  int64_t first_bytes_ = 0;
  int64_t moved_bytes_ = 0;
};

}  // namespace pto::cost
