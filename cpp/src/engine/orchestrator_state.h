// What the other phases see of the orchestrator.
#pragma once

namespace pto {

struct OrchestratorState {
  bool waits = false;  // for the window or for data that it reads
  bool ended = false;
};

}  // namespace pto
