#include "engine/cores.h"

#include <algorithm>

namespace pto {

Cores::Cores(MachineState& state, Stalls& stalls)
    : state_(state),
      stalls_(stalls),
      memory_(state.machine, state.schedule),
      costs_given_(state.schedule.cost_key != kNoKey),
      with_touches_(SharedMemory::has_l2(state.machine, state.schedule)),
      depth_(static_cast<size_t>(std::max(state.schedule.depth, 1))) {
  cores_.resize(state.topology.cores.size());
  ends_.resize(cores_.size() * depth_);
}

void Cores::start_due() {
  while (state_.events.has(EventKind::Start)) due_.push_back(static_cast<int>(state_.events.pop()));
  // A core that starts a task may start the next one at once: it is due again, and still the lowest.
  if (due_.size() > 1) std::sort(due_.begin(), due_.end(), std::greater<>());
  while (!due_.empty()) {
    const int core = due_.back();
    due_.pop_back();
    start(core);
  }
}

inline void Cores::start(int core) {
  Core& queue = cores_[static_cast<size_t>(core)];
  const Launch& launch = queue.launches.front();
  const int64_t id = launch.task;
  Task& task = state_.tasks[id];
  const int64_t end_before = queue.end;
  run_task(queue, id, task);
  end_of_depth_before(core) = task.end;
  queue.turn = queue.turn + 1 == depth_ ? 0 : queue.turn + 1;
  stalls_.task_starts(launch, task, end_before);
  state_.events.push(task.end + state_.machine.costs.completion_latency, EventKind::Report, id);
  queue.launches.pop_front();
  if (!queue.launches.empty()) schedule_start(core, queue.launches.front());
}

const Cores::Timing& Cores::add_timings(uint32_t record) {
  while (timings_.size() <= record) {
    const KernelCost& cost = state_.costs[timings_.size()];
    int64_t work = cost.compute + cost.store;
    if (cost.load + work == 0) work = 1;  // a duration is at least 1
    timings_.push_back({cost.load, work});
    memory_.add(cost);
  }
  return timings_[record];
}

inline void Cores::run_task(Core& core, int64_t id, Task& task) {
  // A cost function's cycles are all compute, and move nothing.
  const Timing timing = costs_given_ ? Timing{0, state_.tasks.details(id).cost} : timing_of(task.record);
  const MemoryUse use = costs_given_ ? MemoryUse{} : book(id, task);
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
  task.end = end;
  if (state_.trace != nullptr) {
    TaskDetails& details = state_.tasks.details(id);
    details.hbm_bytes = use.hbm_bytes;
    details.duration = std::max(std::max(timing.load, use.load_alone) + timing.work, use.alone);
  }
  core.load_end = load_end;
  core.end = end;
}

inline MemoryUse Cores::book(int64_t id, const Task& task) {
  if (!with_touches_) return memory_.book_hbm(task.start, task.record);
  const TaskDetails& details = state_.tasks.details(id);
  return memory_.book_both(task.start, task.record, state_.touches, details.touches, details.touch_count);
}

}  // namespace pto
