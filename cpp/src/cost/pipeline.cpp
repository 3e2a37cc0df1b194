#include "cost/pipeline.h"

#include <algorithm>

namespace pto::cost {

Timeline::Stage Timeline::run(Pipe pipe, std::span<const Phase> phases, bool independent) {
  Ticks begin = independent ? 0 : end_;
  Ticks previous_end = 0;
  Stage stage{};
  for (size_t i = 0; i < phases.size(); ++i) {
    Ticks& free = free_.at(pipe + i);
    begin = std::max(free, i == 0 ? begin : begin + phases[i - 1].first);
    // The last block cannot be done before the pipe in front has done it.
    free = std::max(begin + phases[i].total, previous_end + phases[i].last);
    stage.compute_end = previous_end;
    previous_end = free;
  }
  stage.end = previous_end;
  // A buffer half is free for the next stage once the pipe behind has only its last block to do.
  for (size_t i = phases.size() - 1; i > 0; --i) {
    free_.at(pipe + i - 1) = std::max(free_.at(pipe + i - 1), free_.at(pipe + i) - phases[i].last);
  }
  end_ = std::max(end_, stage.end);
  return stage;
}

Ticks duration(std::span<const Phase> phases) {
  Timeline timeline;
  return timeline.run(kLoadL1, phases, true).end;
}

}  // namespace pto::cost
