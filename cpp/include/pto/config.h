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
  // The shared memory moves memory_bytes in memory_cycles; 0 bytes: it is never the limit.
  int64_t memory_bytes = 0;
  int64_t memory_cycles = 1;
  RuntimeCosts costs;
};

enum class Deps { Inferred, Hybrid };
enum class Infer { BytesOverlap };
enum class Pools { Single, ByExecUnit };
enum class Ready { Fifo, WorkSteal };
enum class DepthScope { Core, PerPool };

struct Dispatch {
  enum class Kind { Shared, RoundRobin, Affinity, WorkSteal };
  Kind kind = Kind::Shared;
  int schedulers = 0;  // round_robin(n); 0: the profile's number
  bool operator==(const Dispatch&) const = default;
};

// Task i uses the policy of the largest threshold <= i + 1, below all thresholds that of the smallest.
struct DispatchStep {
  int64_t threshold = 1;
  Dispatch policy;
};

struct Schedule {
  Deps deps = Deps::Hybrid;
  Infer infer = Infer::BytesOverlap;
  int64_t window = 8192;  // tasks; STALL
  Pools pools = Pools::ByExecUnit;
  Ready ready = Ready::Fifo;
  std::vector<DispatchStep> dispatch = {{}};  // one step: one policy for all
  int64_t start_threshold = 1;
  int64_t batch = 1;  // batch_deps
  bool range_compression = false;
  int depth = 0;  // pipeline_depth; 0: unset
  DepthScope depth_scope = DepthScope::Core;
};

}  // namespace pto
