// Pipes in a row that work on blocks, each block through all of them, double-buffered between neighbours.
#pragma once

#include <array>
#include <span>

#include "cost/ticks.h"

namespace pto::cost {

// What a pipe does for a stage: in all, for the first block, and for the last one.
struct Phase {
  Ticks total = 0;
  Ticks first = 0;
  Ticks last = 0;
};

enum Pipe { kLoadL1, kLoadL0, kCube, kDrainL0c, kLoadUb, kVector, kStoreUb };
inline constexpr int kPipes = 7;

// When the pipes of a core are through with the stages of a kernel, in program order.
class Timeline {
 public:
  struct Stage {
    Ticks compute_end;  // of the last pipe but one
    Ticks end;
  };
  // `phases` are those of neighbouring pipes from `pipe` on. A stage that is not independent waits for all
  // stages before it; one that is only for its pipes.
  Stage run(Pipe pipe, std::span<const Phase> phases, bool independent);
  Ticks end() const { return end_; }

 private:
  std::array<Ticks, kPipes> free_{};
  Ticks end_ = 0;
};

// A stage on its own.
Ticks duration(std::span<const Phase> phases);

}  // namespace pto::cost
