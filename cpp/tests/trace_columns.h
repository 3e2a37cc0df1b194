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
  void task(const TaskRow& row) override { set_row(trace.tasks, add_row(trace.tasks), row, 0); }
  void edge(const EdgeRow& row) override { set_row(trace.edges, add_row(trace.edges), row); }
  void stall(const StallRow& row) override { set_row(trace.stalls, add_row(trace.stalls), row); }

  Trace trace;

 private:
  // The number of a new row.
  template <typename Columns>
  static size_t add_row(Columns& columns) {
    const size_t row = row_count(columns);
    visit_row_columns(columns, [row](const char*, auto& column) { column.resize(row + 1); });
    return row;
  }
};

}  // namespace pto::test
