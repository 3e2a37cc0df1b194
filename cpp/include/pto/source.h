// Where tasks come from. A loaded task program is one source, a table in a test is another.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pto/abi.h"

namespace pto {

// Takes tasks in program order. Every call throws pto::Stopped (pto/error.h) once the run has been stopped.
class TaskSink {
 public:
  virtual ~TaskSink() = default;
  // Returns the task's id; ids count from 0.
  virtual int64_t submit(const pto_task& task) = 0;
  // The orchestrator reads data: it waits for the region's writers and pays `readback`.
  virtual void read(const pto_region& region) = 0;
  // Structural order: each part of a scope waits for the part before it; scopes nest.
  virtual void scope_begin() = 0;
  virtual void part() = 0;
  virtual void scope_end() = 0;
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
  int64_t read_bytes = -1;           // loaded, of these; -1: all that is in the regions that it reads
  int64_t moved_bytes = 0;           // between the core and the memories, with what is read again
  int64_t borrowed_vector = 0;       // vector cycles spent inside a cube kernel
  const char* bound_by = "compute";  // what decides: cube, vector, load, store, latency
};

// A kernel as the engine sees it.
struct KernelInfo {
  std::string name;
  pto_unit unit = PTO_VECTOR;
  std::vector<pto_role> roles;  // of its parameters
  KernelCost cost;
};

struct TensorInfo {
  std::string name;
  int64_t element_bytes = 4;
  std::vector<int64_t> extent;
  bool is_read = true;  // the orchestrator may read it
};

}  // namespace pto
