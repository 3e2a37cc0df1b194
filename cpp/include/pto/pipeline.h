// Processes that take turns (rule 16 of docs/execution-model.md).
#pragma once

#include "pto/abi.h"
#include "pto/source.h"

namespace pto {

// Resumes the processes until all have ended, and tells the sink whose turn it is and what waits for what.
// Throws ExecutionError for a deadlock, and for a token with a number that is no index.
void run_pipeline(const pto_pipeline& pipeline, StructureSink& sink);

}  // namespace pto
