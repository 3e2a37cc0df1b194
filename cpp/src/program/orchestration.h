// A task program's side of a run: its calls become calls of a RunSink, and C never sees an exception.
#pragma once

#include <exception>

#include "pto/abi.h"
#include "pto/source.h"

namespace pto {

// What a run does with the program's calls. Any of them may throw: then the program is stopped.
class RunSink : public StructureSink {
 public:
  virtual int64_t submit(const pto_task& task) = 0;
  virtual void read(const pto_region& region, int64_t* values) = 0;
};

// Runs the program's loops to their end. Rethrows what the sink threw, once the program's frames are gone.
void orchestrate(const pto_program& program, RunSink& sink);

}  // namespace pto
