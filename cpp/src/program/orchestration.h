// A task program's side of a run: its calls become calls of a RunSink, and C never sees an exception.
#pragma once

#include <span>

#include "pto/abi.h"
#include "pto/source.h"

namespace pto {

// What a run does with the program's calls. Any of them may throw: then the program is stopped.
class RunSink : public StructureSink {
 public:
  virtual int64_t submit(const pto_task& task) = 0;
  virtual void read(const char* location, const pto_region& region, int64_t* values) = 0;
};

// Runs the program's loops to their end; `symbols` has one value per symbol of the program. Rethrows what the sink
// threw, once the program's frames are gone; throws ExecutionError for a number that the program refuses.
void orchestrate(const pto_program& program, std::span<const int64_t> symbols, RunSink& sink);

}  // namespace pto
