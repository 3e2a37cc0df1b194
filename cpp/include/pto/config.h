// All that the engine reads before a run: cores, costs and policies. Pure data; cycles are already integers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace pto {

// Cycles that the runtime's own work takes (rules 3-12 of docs/execution-model.md).
struct RuntimeCosts {
  int64_t submit = 0;
  int64_t submit_operand = 0;
  int64_t readback = 0;
  int64_t dispatch = 0;
  int64_t dispatch_latency = 0;
  int64_t completion_latency = 0;
  int64_t complete = 0;
  int64_t resolve = 0;
  int64_t steal = 0;
  int64_t pickup = 0;
};

struct MachineConfig {
  int64_t clock_hz = 1'000'000'000;
  int cube_cores = 1;
  int vector_cores = 1;
  int schedulers = 1;      // for a policy that names no number
  int schedulers_max = 1;  // more is an error
  int core_slots = 1;      // tasks in flight on a core without pipeline depth
  // HBM moves memory_bytes in memory_cycles, L2 l2_bytes in l2_cycles; 0 bytes: it is never the limit.
  int64_t memory_bytes = 0;
  int64_t memory_cycles = 1;
  int64_t l2_bytes = 0;
  int64_t l2_cycles = 1;
  int64_t l2_capacity = 0;  // bytes; 0: there is no L2
  RuntimeCosts costs;
};

enum class Deps { Inferred, Explicit, Hybrid };
enum class Infer { BytesOverlap, TensorMapExact };
enum class WindowUnit { Tasks, Bytes, Entries };
enum class WindowMode { Stall, Abort, Benchmark };
enum class Pools { Single, ByExecUnit, Custom };
enum class Ready { Fifo, WorkSteal, Priority };
enum class Start { Threshold, AfterOrchestration };
enum class Timing { Immediate, Batched, Interleaved, RateLimit };
enum class DepthScope { Core, PerPool, Global, PerStream };
// Flat: all that tasks load and store goes through HBM.
enum class MemoryModel { L2, Flat };

// A key function that a policy uses: an index into Schedule::keys and into pto_task.keys.
using KeyIndex = int;
inline constexpr KeyIndex kNoKey = -1;

struct Dispatch {
  enum class Kind { Shared, RoundRobin, Affinity, Hash, DispatchBy, WorkSteal };
  Kind kind = Kind::Shared;
  int schedulers = 0;     // round_robin(n); 0: the profile's number
  KeyIndex key = kNoKey;  // affinity, hash, dispatch_by
  bool operator==(const Dispatch&) const = default;
};

// Task i uses the policy of the largest threshold <= i + 1, below all thresholds that of the smallest.
struct DispatchStep {
  int64_t threshold = 1;
  Dispatch policy;
  bool operator==(const DispatchStep&) const = default;
};

// A pool of its own cores: these many of each unit, taken from the machine's in order of declaration.
struct CustomPool {
  std::string name;
  int cube_cores = 0;
  int vector_cores = 0;
  bool operator==(const CustomPool&) const = default;
};

struct Schedule {
  Deps deps = Deps::Hybrid;
  Infer infer = Infer::BytesOverlap;
  int64_t window = 8192;
  WindowUnit window_unit = WindowUnit::Tasks;
  WindowMode window_mode = WindowMode::Stall;
  Pools pools = Pools::ByExecUnit;
  std::vector<CustomPool> custom_pools;  // with Pools::Custom; pool_key gives a task's pool, by position here
  KeyIndex pool_key = kNoKey;
  Ready ready = Ready::Fifo;
  KeyIndex priority_key = kNoKey;
  std::vector<DispatchStep> dispatch = {{}};  // one step: one policy for all
  Start start = Start::Threshold;
  int64_t start_threshold = 1;
  Timing timing = Timing::Immediate;
  int64_t timing_number = 1;  // batched: tasks; interleaved: lanes; rate_limit: dispatches per millisecond
  int64_t streams = 0;        // 0: tasks have no stream
  KeyIndex stream_key = kNoKey;
  int64_t batch = 1;  // batch_deps
  bool range_compression = false;
  int depth = 0;  // pipeline_depth; 0: unset
  DepthScope depth_scope = DepthScope::Core;
  MemoryModel memory = MemoryModel::L2;
  bool records_rows = true;       // false: TracePolicy.none, statistics alone
  KeyIndex cost_key = kNoKey;     // cycles(cost_fn): a task's duration instead of its kernel's cost
  std::vector<std::string> keys;  // names of the key functions that the policies above use

  bool operator==(const Schedule&) const = default;
};

}  // namespace pto
