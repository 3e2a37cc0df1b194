// What a dispatch leaves to the core.
#pragma once

#include <cstdint>

namespace pto {

// A task on its way to a core, and why it was not dispatched earlier (rule 14).
struct Launch {
  int64_t task;
  int64_t dispatched;  // the dispatch's cost is paid
  int64_t seen;        // by the core
  int64_t last_report, last_service_end, gate_opened, head_unblocked;
};

}  // namespace pto
