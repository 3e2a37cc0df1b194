// From a kernel's fragments and a machine to cycles (docs/cost-model.md).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pto/abi.h"
#include "pto/machine.h"
#include "pto/source.h"

namespace pto {

// The cost of one run of the kernel on one core, in cycles; load + compute + store is at least 1. Loops whose length
// numbers decide have no trips. Throws MachineError, naming kernel and op, for an op or dtype that has no cost and for
// work that does not fit the core's buffers.
KernelCost kernel_cost(const pto_kernel& kernel, const Machine& machine);

// What a task costs whose loops have these trips: each fragment's trips are multiplied by those of the loops around it.
// The kernel outlives it. Throws as kernel_cost does: here for one trip of each loop, later for trips beyond the
// model's arithmetic.
CostFunction cost_function(const pto_kernel& kernel, const Machine& machine);

// The bytes that a task with these trips loads through each parameter.
std::vector<int64_t> loaded_bytes(const pto_kernel& kernel, const int64_t* trips);

// What a pipe of the core does in one run.
struct PipeUse {
  const char* name;    // "gm -> l1", ...
  int64_t cycles = 0;  // rounded up
  int64_t bytes = 0;   // moved; 0 for one that computes
};

struct BufferUse {
  const char* name;  // "l1", ...
  int64_t used = 0;  // bytes, where most is in use
  int64_t size = 0;  // bytes
};

// What one more trip of a loop adds, where the loop is long and all others of the kernel have one trip.
struct LoopReport {
  std::string location;
  double cycles = 0;
  int64_t bytes = 0, moved_bytes = 0;
  int64_t operations = 0;
};

// Where a kernel's cycles come from.
struct KernelReport {
  std::string name;
  std::string location;
  pto_unit unit = PTO_VECTOR;
  KernelCost cost;
  std::vector<PipeUse> pipes;      // those that do anything, in the data's order; vector pipes per core
  std::vector<BufferUse> buffers;  // those in use
  int64_t operations = 0;          // a multiplication and an addition are two
  // What no order on the pipes is faster than: its arithmetic at the unit's full rate, or its loads, each once, at
  // the core's.
  int64_t roofline = 0;  // cycles
  // Of loops whose length numbers decide; all of the above is without their trips.
  std::vector<LoopReport> loops;
};

// Throws as kernel_cost does.
KernelReport kernel_report(const pto_kernel& kernel, const Machine& machine);

}  // namespace pto
