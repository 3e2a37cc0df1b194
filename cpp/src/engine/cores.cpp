#include "engine/cores.h"

#include <algorithm>

namespace pto {

Cores::Cores(MachineState& state, Stalls& stalls)
    : state_(state),
      stalls_(stalls),
      memory_(state.machine, state.schedule),
      depth_(static_cast<size_t>(std::max(state.schedule.depth, 1))) {
  cores_.resize(state.topology.cores.size());
}

void Cores::append(int core, int64_t id) {
  Core& queue = cores_[static_cast<size_t>(core)];
  state_.tasks[id].next_on_core = kNoTask;
  if (queue.first == kNoTask) {
    queue.first = queue.last = id;
    schedule_start(core);
  } else {
    state_.tasks[queue.last].next_on_core = id;
    queue.last = id;
  }
}

// The first waiting task's start is known: all tasks before it have started.
void Cores::schedule_start(int core) {
  const Core& queue = cores_[static_cast<size_t>(core)];
  Task& task = state_.tasks[queue.first];
  const int64_t end_of_depth_before = queue.ends.size() == depth_ ? queue.ends.front() : 0;
  task.start = std::max({task.seen, queue.load_end, end_of_depth_before}) + state_.machine.costs.pickup;
  if (task.start > state_.now) {
    state_.events.push(task.start, EventKind::Start, core);
  } else {
    due_.push_back(core);
  }
}

void Cores::run() {
  while (state_.events.has(EventKind::Start)) due_.push_back(static_cast<int>(state_.events.pop()));
  if (due_.empty()) return;
  // A core that starts a task may start the next one at once: it is due again, and still the lowest.
  std::sort(due_.begin(), due_.end(), std::greater<>());
  while (!due_.empty()) {
    const int core = due_.back();
    due_.pop_back();
    start(core);
  }
}

void Cores::start(int core) {
  Core& queue = cores_[static_cast<size_t>(core)];
  const int64_t id = queue.first;
  Task& task = state_.tasks[id];
  const int64_t end_before = queue.end;
  run_task(queue, task);
  stalls_.task_starts(id, task, end_before);
  state_.events.push(task.end + state_.machine.costs.completion_latency, EventKind::Report, id);
  queue.first = task.next_on_core;
  if (queue.first != kNoTask) schedule_start(core);
}

const Cores::Timing& Cores::timing_of(uint32_t record) {
  while (timings_.size() <= record) {
    const KernelCost& cost = state_.costs[timings_.size()];
    int64_t work = cost.compute + cost.store;
    if (cost.load + work == 0) work = 1;  // a duration is at least 1
    timings_.push_back({cost.load, work});
    memory_.add(cost);
  }
  return timings_[record];
}

void Cores::run_task(Core& core, Task& task) {
  // A cost function's cycles are all compute, and move nothing.
  const bool given = task.cost > 0;
  const Timing timing = given ? Timing{0, task.cost} : timing_of(task.record);
  const MemoryUse use =
      given ? MemoryUse{} : memory_.book(task.start, task.record, state_.touches, task.touches, task.touch_count);
  int64_t load_end = task.start + timing.load;
  if (use.load_end > load_end) {
    load_end = use.load_end;
    task.memory = use.load_level;
  }
  int64_t end = std::max(load_end, core.end) + timing.work;
  if (use.end > end) {
    end = use.end;
    task.memory = use.level;
  }
  task.hbm_bytes = use.hbm_bytes;
  task.duration = std::max(std::max(timing.load, use.load_alone) + timing.work, use.alone);
  task.end = end;
  core.load_end = load_end;
  core.end = end;
  if (core.ends.size() == depth_) core.ends.pop_front();
  core.ends.push(end);
}

}  // namespace pto
