// Virtual time: one cycle after the other, each in five phases (docs/execution-model.md).
#pragma once

#include "engine/completions.h"
#include "engine/cores.h"
#include "engine/dispatcher.h"
#include "engine/joins.h"
#include "engine/machine_state.h"
#include "engine/orchestrator.h"
#include "engine/placement.h"
#include "engine/readiness.h"
#include "engine/record_stream.h"
#include "engine/retirement.h"
#include "engine/stalls.h"

namespace pto {

class CycleLoop {
 public:
  // The spans' contents are copied. Throws ScheduleError for a schedule that the machine cannot honour.
  CycleLoop(const MachineConfig& machine, const Schedule& schedule, std::span<const KernelInfo> kernels,
            std::span<const pto_site> sites, TraceSink* trace, RecordStream& stream);

  const Topology& topology() const { return state_.topology; }

  // Runs the program that comes through the stream to its last cycle.
  // Throws Stopped, or ExecutionError where nothing can happen any more while tasks or waits remain.
  Stats run();

 private:
  void run_cycle();
  void advance();
  [[noreturn]] void refuse_deadlock() const;

  MachineState state_;
  RecordStream& stream_;
  Readiness readiness_;
  Joins joins_;
  Placement placement_;
  Stalls stalls_;
  Cores cores_;
  Dispatcher dispatcher_;
  Completions completions_;
  Retirement retirement_;
  Orchestrator orchestrator_;
};

}  // namespace pto
