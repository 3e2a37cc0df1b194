// What the actors of the machine share in one run.
#pragma once

#include <atomic>
#include <span>
#include <string>
#include <vector>

#include "engine/event_queue.h"
#include "engine/fifo.h"
#include "engine/task_table.h"
#include "engine/topology.h"
#include "engine/window.h"
#include "memory/touch_store.h"
#include "pto/config.h"
#include "pto/source.h"
#include "pto/stats.h"

namespace pto {

// A scheduler's server: one job at a time (rule 9).
struct Server {
  int64_t free_at = 0;
  Fifo<int64_t> reports;  // tasks, in order of (arrival, id)
  size_t in_service = 0;  // the first of these
  SchedulerStats stats;
};

// What a task takes from its kernel, at hand in a few bytes.
struct KernelTraits {
  int32_t pool;  // where no key function says it
  uint8_t unit;
  bool own_costs;         // its tasks name their cost records
  int64_t submit_cycles;  // for its operands
};

struct MachineState {
  MachineState(const MachineConfig& config, const Schedule& plan, std::span<const KernelInfo> kernel_infos,
               std::span<const pto_site> task_sites, TraceSink* sink);

  // "task 7 (expert, model.py:12)"
  std::string name_of(int64_t live_task);

  const MachineConfig machine;
  const Schedule schedule;
  const Topology topology;
  std::vector<KernelInfo> kernels;
  std::vector<KernelTraits> traits;       // of the kernels
  std::vector<KernelCost> costs;          // the kernels', then those of tasks by the trips of their loops
  const std::span<const pto_site> sites;  // may be empty
  TraceSink* trace;                       // or null

  int64_t now = 0;
  EventQueue events;
  Window window;
  TaskTable tasks;
  Links links;
  std::vector<Server> servers;
  Fifo<int64_t> axes;  // of the live tasks, one after the other; only with a trace
  TouchStore touches;  // only with L2
  Stats stats;
};

}  // namespace pto
