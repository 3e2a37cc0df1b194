// Runs that Ctrl-C ends.
#pragma once

#include "pto/session.h"

namespace pto {

// Waits for the run's end. Throws Exit where Ctrl-C or SIGTERM came first, once the run has stopped.
RunResult run_to_end(Session& session, const RunOptions& options);

}  // namespace pto
