// Dispatch is closed until enough tasks have become ready (rule 5).
#pragma once

#include <cstdint>

#include "engine/machine_state.h"

namespace pto {

class StartGate {
 public:
  explicit StartGate(const Schedule& schedule) : threshold_(schedule.start_threshold) {}

  void became_ready(int64_t tasks) { ready_ += tasks; }
  // Phase Dispatch. Once open it stays open.
  void update(int64_t now, bool orchestrator_waits_or_ended) {
    if (open_ || (ready_ < threshold_ && !orchestrator_waits_or_ended)) return;
    open_ = true;
    opened_ = now;
  }
  bool is_open() const { return open_; }
  int64_t opened() const { return opened_; }

 private:
  int64_t threshold_;
  int64_t ready_ = 0;
  bool open_ = false;
  int64_t opened_ = 0;
};

}  // namespace pto
