// What a run leaves behind without a trace, and the rows that it leaves with one.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "pto/abi.h"

namespace pto {

enum class Stall : uint8_t {
  SubmitBusy,
  WindowFull,
  Readback,
  DepWait,
  ChannelEmpty,
  ChannelFull,
  Gated,
  NoCore,
  DispatchBusy,
  Latency,
  Drained,
};
inline constexpr int kStallCauses = 11;
const char* stall_name(Stall cause);  // "submit_busy", ...

enum class EdgeKind : uint8_t { Raw, Waw, War, Structural, Explicit, Stream };
const char* edge_name(EdgeKind kind);  // "raw", ...

struct PoolStats {
  std::string name;
  int cores = 0;
  int64_t tasks = 0;
  int64_t busy = 0;                            // core cycles on which a tile of a task lies
  std::array<int64_t, kStallCauses> stalls{};  // core cycles; busy + stalls = cores x makespan
};

struct KernelStats {
  std::string name;
  int64_t tasks = 0;
  int64_t busy = 0;
  std::array<int64_t, kStallCauses> stalls{};  // of the gaps before its tasks
};

struct SchedulerStats {
  int64_t dispatches = 0;
  int64_t reports = 0;
  int64_t steals = 0;
  int64_t busy = 0;
};

struct Stats {
  int64_t tasks = 0;
  int64_t edges = 0;
  int64_t reads = 0;
  int64_t makespan = 0;           // cycles: the largest `end`
  int64_t orchestrator_busy = 0;  // cycles
  int64_t memory_bytes = 0;       // moved through HBM
  int64_t memory_busy = 0;        // cycles
  int64_t l2_bytes = 0;           // moved between the cores and L2
  int64_t l2_busy = 0;            // cycles
  int64_t borrowed_vector = 0;    // vector cycles inside cube kernels
  int64_t window_high_water = 0;  // what live tasks held at most, in the schedule's window_unit
  int64_t window_overruns = 0;    // tasks that did not fit (window_mode=benchmark)
  int64_t ready_high_water = 0;   // tasks in queues at most
  std::vector<PoolStats> pools;   // cube, vector; of custom pools NAME.cube, NAME.vector
  std::vector<KernelStats> kernels;
  std::vector<SchedulerStats> schedulers;
};

struct TaskRow {
  int64_t task;
  uint32_t kernel;
  uint32_t site;
  pto_unit unit;
  int32_t core;
  int32_t scheduler;
  int32_t pool;
  int64_t stream;
  int64_t submit, ready, dispatch, start, end, retire;
  int64_t published;     // the schedulers know of it
  int64_t duration;      // from start to end on an idle machine
  int64_t waited_for;    // the task for which the orchestrator waited last before it submitted this one; -1: none
  Stall before_submit;   // what the orchestrator did between the submission before and this one
  int64_t hbm_bytes;     // that went through HBM for it
  const char* bound_by;  // what the kernel's cost says, or "hbm" or "l2" where a booking decided
  const int64_t* axes;
  uint32_t axis_count;
};
struct EdgeRow {
  int64_t src, dst;  // joins are negative
  EdgeKind kind;
};
struct StallRow {
  int32_t core;
  int64_t begin, end;
  Stall cause;
  int64_t task;  // the task after the gap; -1: drained
};

// Takes rows as the run produces them: tasks in order of id, edges in order of the later task,
// the stalls of one core in order of time. Called from one thread.
class TraceSink {
 public:
  virtual ~TraceSink() = default;
  virtual void task(const TaskRow& row) = 0;
  virtual void edge(const EdgeRow& row) = 0;
  virtual void stall(const StallRow& row) = 0;
};

}  // namespace pto
