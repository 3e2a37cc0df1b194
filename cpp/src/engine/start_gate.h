// Dispatch is closed until enough tasks have become ready, or all are submitted (rule 5).
#pragma once

#include <cstdint>

#include "engine/machine_state.h"
#include "engine/orchestrator_state.h"

namespace pto {

class StartGate {
 public:
  explicit StartGate(const Schedule& schedule) : start_(schedule.start), threshold_(schedule.start_threshold) {}

  void became_ready(int64_t tasks) { ready_ += tasks; }
  // Phase Dispatch. Once open it stays open.
  void update(int64_t now, const OrchestratorState& orchestrator) {
    if (open_) return;
    const bool idle = orchestrator.waits || orchestrator.ended;
    open_ = start_ == Start::AfterOrchestration ? orchestrator.ended : ready_ >= threshold_ || idle;
    if (open_) opened_ = now;
  }
  bool is_open() const { return open_; }
  int64_t opened() const { return opened_; }

 private:
  Start start_;
  int64_t threshold_;
  int64_t ready_ = 0;
  bool open_ = false;
  int64_t opened_ = 0;
};

}  // namespace pto
