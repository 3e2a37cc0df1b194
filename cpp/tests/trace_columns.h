// A run's rows as a trace in memory.
#pragma once

#include "pto/trace.h"
#include "trace/columns.h"

namespace pto::test {

class ColumnsTrace final : public TraceSink {
 public:
  explicit ColumnsTrace(const MachineConfig& machine) {
    trace.header.cube_cores = machine.cube_cores;
    trace.header.vector_cores = machine.vector_cores;
    trace.header.memory_bytes = machine.memory_bytes;
    trace.header.memory_cycles = machine.memory_cycles;
  }
  void task(const TaskRow& row) override { append(trace.tasks, row, 0); }
  void edge(const EdgeRow& row) override { append(trace.edges, row); }
  void stall(const StallRow& row) override { append(trace.stalls, row); }

  Trace trace;
};

}  // namespace pto::test
