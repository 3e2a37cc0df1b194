// A run's rows on disk, written while it runs (docs/trace-format.md), and what is made from them.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "pto/abi.h"
#include "pto/config.h"
#include "pto/stats.h"

namespace pto {

struct TraceKernel {
  std::string name;
  std::string location;
};

struct TraceSite {
  uint32_t kernel = 0;
  std::string location;
  std::vector<std::string> axes;
};

// What the rows' numbers stand for.
struct TraceHeader {
  std::string program;
  int64_t clock_hz = 0;
  int cube_cores = 0;
  int vector_cores = 0;
  int64_t memory_bytes = 0;   // HBM moves so many
  int64_t memory_cycles = 1;  // in so many cycles; 0 bytes: it is never the limit
  std::vector<TraceKernel> kernels;
  std::vector<TraceSite> sites;
};

struct TaskColumns {
  std::vector<int64_t> task;
  std::vector<uint32_t> kernel, site;
  std::vector<uint8_t> unit;
  std::vector<int32_t> core, scheduler, pool;
  std::vector<int64_t> stream, submit, ready, dispatch, start, end, retire;
  std::vector<int64_t> published, duration, waited_for, hbm_bytes;
  std::vector<uint8_t> before_submit;  // Stall
  std::vector<uint8_t> bound_by;       // index into Trace::bound_by
  std::vector<uint8_t> axis_count;     // of each row
  std::vector<int64_t> axes;           // of all rows, one after the other
};

struct EdgeColumns {
  std::vector<int64_t> src, dst;
  std::vector<uint8_t> kind;  // EdgeKind
};

struct StallColumns {
  std::vector<int32_t> core;
  std::vector<int64_t> begin, end;
  std::vector<uint8_t> cause;  // Stall
  std::vector<int64_t> task;
};

struct Trace {
  TraceHeader header;
  std::vector<std::string> bound_by;
  TaskColumns tasks;
  EdgeColumns edges;
  StallColumns stalls;
};

// Writes rows in blocks of columns. Throws ExecutionError where the disk does not take them.
class TraceWriter final : public TraceSink {
 public:
  TraceWriter(const std::filesystem::path& path, const pto_program& program, const MachineConfig& machine);
  void task(const TaskRow& row) override;
  void edge(const EdgeRow& row) override;
  void stall(const StallRow& row) override;
  // Ends the file; one without an end is refused by read_trace.
  void close();

 private:
  uint8_t bound_by_index(const char* name);
  // Rows that are not written yet.
  template <typename Columns>
  struct Block {
    Columns columns;
    size_t rows = 0;
  };
  template <typename Columns>
  void begin(Block<Columns>& block);
  template <typename Columns>
  void flush(char kind, Block<Columns>& block);
  void begin_block(char kind, uint64_t rows, uint64_t bytes);
  void write(const void* data, size_t bytes);

  std::filesystem::path path_;
  std::ofstream file_;
  std::vector<std::string> bound_by_;
  const char* last_name_ = nullptr;  // mostly the next one's, too
  uint8_t last_index_ = 0;
  Block<TaskColumns> tasks_;
  Block<EdgeColumns> edges_;
  Block<StallColumns> stalls_;
};

// Throws LoadError for a file that is no whole trace.
Trace read_trace(const std::filesystem::path& path);

// What is made of a trace.
using TraceFormat = void (*)(const Trace& trace, std::ostream& out);
void write_tasks_csv(const Trace& trace, std::ostream& out);
void write_edges_csv(const Trace& trace, std::ostream& out);
void write_stalls_csv(const Trace& trace, std::ostream& out);
// For ui.perfetto.dev: one track per core, grouped by unit; one nanosecond is one cycle.
void write_perfetto(const Trace& trace, std::ostream& out);

// Throws ExecutionError where the file cannot be written.
void write_file(const Trace& trace, TraceFormat format, const std::filesystem::path& path);

}  // namespace pto
