// Where tasks come from. A loaded task program is one source, a table in a test is another.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "pto/abi.h"

namespace pto {

// Why what follows in a process waits for an event (rule 16).
enum class ProcessWait : uint8_t { Order, ChannelEmpty, ChannelFull };

// The structure of a program (rules 2 and 16), in program order.
class StructureSink {
 public:
  virtual ~StructureSink() = default;
  // Each part of a scope waits for the part before it; scopes nest.
  virtual void scope_begin() = 0;
  virtual void part() = 0;
  virtual void scope_end() = 0;
  // Processes take turns; each has scopes of its own, inside those of the program around.
  virtual void processes_begin(uint32_t count) = 0;
  virtual void process(uint32_t number) = 0;  // is the one that goes on
  virtual void processes_end() = 0;
  // A loop of a process in whose iterations events are marked.
  virtual void loop_begin() = 0;
  virtual void iteration() = 0;
  virtual void loop_end() = 0;
  // The event: the process has come so far, and the tasks before this point in the iterations around it are finished.
  virtual void mark(uint32_t event) = 0;
  // All that follows in the process waits for the event, which has been marked.
  virtual void wait(uint32_t event, ProcessWait why) = 0;
  // Nobody will wait for the event any more: its number may be marked again.
  virtual void forget(uint32_t event) = 0;
};

// Takes tasks in program order. Every call throws pto::Stopped (pto/error.h) once the run has been stopped.
class TaskSink : public StructureSink {
 public:
  // Returns the task's id; ids count from 0.
  virtual int64_t submit(const pto_task& task) = 0;
  // The orchestrator reads data: it waits for the region's writers and pays `readback`.
  virtual void read(const pto_region& region) = 0;
};

class TaskSource {
 public:
  virtual ~TaskSource() = default;
  virtual void run(TaskSink& sink) = 0;
};

// What a core spends on one run of a kernel, in cycles, and the bytes that it moves through the shared memories.
struct KernelCost {
  int64_t load = 0;
  int64_t compute = 0;
  int64_t store = 0;
  int64_t load_bytes = 0;            // moved by the load phase
  int64_t bytes = 0;                 // loaded and stored, each once
  int64_t read_bytes = 0;            // loaded, of these
  int64_t moved_bytes = 0;           // between the core and the memories, with what is read again
  int64_t borrowed_vector = 0;       // vector cycles spent inside a cube kernel
  const char* bound_by = "compute";  // what decides: cube, vector, load, store, latency
};

// How often the loop runs in a task with these numbers.
inline int64_t loop_trips(const pto_loop& loop, const int64_t* numbers) {
  const int64_t length = loop.stop(numbers) - loop.start;
  return length > 0 ? (length + loop.step - 1) / loop.step : 0;
}

// The cost of a task by the trips of its kernel's loops.
using CostFunction = std::function<KernelCost(const int64_t* trips)>;

// The bytes that a task loads through each parameter, by the trips of its kernel's loops.
using LoadFunction = std::function<std::vector<int64_t>(const int64_t* trips)>;

// A kernel as the engine sees it.
struct KernelInfo {
  std::string name;
  pto_unit unit = PTO_VECTOR;
  std::vector<pto_role> roles;  // of its parameters
  KernelCost cost;
  std::vector<pto_loop> loops = {};  // whose trips decide what a task costs; none: every task costs `cost`
  CostFunction cost_of = {};
  LoadFunction loads_of = {};  // none: every region that is read is loaded once, all of it
};

struct TensorInfo {
  std::string name;
  int64_t element_bytes = 4;
  std::vector<int64_t> extent;
  bool is_read = true;  // the orchestrator may read it
};

}  // namespace pto
