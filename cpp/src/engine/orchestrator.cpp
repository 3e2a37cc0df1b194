#include "engine/orchestrator.h"

#include <algorithm>
#include <bit>
#include <string>

#include "engine/homes.h"
#include "pto/error.h"

namespace pto {
namespace {

const char* unit_name(WindowUnit unit) {
  switch (unit) {
    case WindowUnit::Tasks:
      return "tasks";
    case WindowUnit::Bytes:
      return "bytes";
    case WindowUnit::Entries:
      return "entries";
  }
  return "";
}

}  // namespace

void Orchestrator::run() {
  while (state_.events.has(EventKind::Orchestrator)) state_.events.pop();
  waiting_ = false;
  while (is_free() && !waiting_ && !ended_) step();
}

void Orchestrator::step() {
  if (publishing_) publish_batch();
  if (!fetched_) read_record();
  switch (record_.kind) {
    case RecordKind::Task:
      return handle_task();
    case RecordKind::Cost:
      state_.costs.push_back(cost_);
      return next_record();
    case RecordKind::Read:
      return handle_read();
    case RecordKind::ScopeBegin:
      joins_.scope_begin();
      return next_record();
    case RecordKind::Part:
      joins_.part();
      return next_record();
    case RecordKind::ScopeEnd:
      joins_.scope_end();
      return next_record();
    case RecordKind::End:
      return end();
    default:
      handle_process_record();
      return next_record();
  }
}

void Orchestrator::handle_process_record() {
  switch (record_.kind) {
    case RecordKind::ProcessesBegin:
      return processes_.begin(record_.count);
    case RecordKind::Process:
      return processes_.turn(record_.count);
    case RecordKind::ProcessesEnd:
      return processes_.end();
    case RecordKind::LoopBegin:
      return processes_.loop_begin();
    case RecordKind::Iteration:
      return processes_.iteration();
    case RecordKind::LoopEnd:
      return processes_.loop_end();
    case RecordKind::Mark:
      return processes_.mark(record_.count);
    case RecordKind::Wait:
      return processes_.wait(record_.count, static_cast<ProcessWait>(record_.axes));
    default:
      return processes_.forget(record_.count);
  }
}

// All of it but a task's axes and edges.
void Orchestrator::read_record() {
  record_ = RecordHead::unpack(stream_.get());
  fetched_ = true;
  if (record_.kind == RecordKind::Cost) {
    CostWords words{};
    for (uint64_t& word : words) word = stream_.get();
    cost_ = std::bit_cast<KernelCost>(words);
  } else if (record_.kind == RecordKind::Read) {
    writers_.clear();
    for (uint32_t i = 0; i < record_.count; ++i) writers_.push_back(static_cast<int64_t>(stream_.get()));
  } else if (record_.kind == RecordKind::Task) {
    what_ = stream_.get();
    const auto kernel = static_cast<uint32_t>(what_);
    cost_record_ = state_.kernels[kernel].cost_of ? static_cast<uint32_t>(stream_.get()) : kernel;
    visit_used(state_.schedule, fields_, [this](int64_t& field) { field = static_cast<int64_t>(stream_.get()); });
    if (state_.schedule.pools != Pools::Custom) {
      fields_.pool = state_.topology.pool_of(state_.kernels[kernel].unit);
    }
  }
}

// Rule 3: a task is submitted when it fits beside the live ones.
void Orchestrator::handle_task() {
  if (state_.window.fits(fields_.size) || overruns()) {
    submit();
    next_record();
  } else if (!close_batch()) {
    wait(Stall::WindowFull);
  }
}

// The task does not fit: true where it is submitted all the same.
bool Orchestrator::overruns() {
  if (state_.schedule.window_mode == WindowMode::Benchmark) {
    ++state_.stats.window_overruns;
    return true;
  }
  if (!state_.window.can_ever_fit(fields_.size)) {
    const std::string size = std::to_string(fields_.size);
    throw ExecutionError(next_task() + " needs " + size + " of " + window_text() + ": raise the window to at least " +
                         size);
  }
  return false;
}

void Orchestrator::submit() {
  const int64_t oldest = state_.window.oldest();
  const int64_t id = state_.window.take_place(fields_.size);
  Task& task = state_.tasks.add(id, oldest);
  task.kernel = static_cast<uint32_t>(what_);
  task.site = static_cast<uint32_t>(what_ >> 32);
  task.record = cost_record_;
  task.axis_count = record_.axes;
  task.home = static_cast<int32_t>(record_.home) - 1;
  static_assert(Homes::kShared == -1);
  task.pool = static_cast<int32_t>(fields_.pool);
  task.stream = fields_.stream;
  task.order = fields_.priority;
  task.cost = fields_.cost;
  task.size = fields_.size;
  const KernelInfo& kernel = state_.kernels[task.kernel];
  task.unit = static_cast<uint8_t>(kernel.unit);
  task.submit = state_.now;
  task.before_submit = doing_;
  task.waited_for = waited_for_;
  doing_ = Stall::SubmitBusy;
  waited_for_ = kNoTask;
  for (uint32_t i = 0; i < record_.axes; ++i) state_.axes.push(static_cast<int64_t>(stream_.get()));
  joins_.enter(task);
  if (processes_.active()) processes_.enter(task);
  joins_.trace_wait(id, task);
  read_edges(id, record_.count);
  if (SharedMemory::has_l2(state_.machine, state_.schedule)) read_touches(task);
  joins_.trace_membership(id, task);

  const RuntimeCosts& costs = state_.machine.costs;
  int64_t cycles = costs.submit_operand * static_cast<int64_t>(kernel.roles.size());
  batch_.push_back({id, edges_.size()});
  if (static_cast<int64_t>(batch_.size()) == state_.schedule.batch) {
    cycles += costs.submit;
    publishing_ = true;
  }
  pay(cycles);
}

void Orchestrator::read_edges(int64_t id, uint32_t count) {
  for (uint32_t i = 0; i < count; ++i) {
    const Edge edge = unpack_edge(stream_.get());
    edges_.push_back(edge);
    if (state_.trace != nullptr) state_.trace->edge({edge.source, id, edge.kind});
  }
  state_.stats.edges += count;
}

void Orchestrator::read_touches(Task& task) {
  task.touches = state_.touches.end();
  task.touch_count = static_cast<uint32_t>(stream_.get());
  for (uint32_t i = 0; i < task.touch_count; ++i) {
    state_.touches.push(get_touch([this] { return stream_.get(); }));
  }
}

// Rule 4: free where nothing was written; else it waits for the writers and pays, also if all are finished.
void Orchestrator::handle_read() {
  if (!record_.flag) return next_record();
  if (close_batch()) return;
  if (!writers_finished()) return wait(Stall::Readback);
  ++state_.stats.reads;
  if (state_.machine.costs.readback > 0) doing_ = Stall::Readback;
  pay(state_.machine.costs.readback);
  next_record();
}

bool Orchestrator::writers_finished() {
  while (!writers_.empty()) {
    const int64_t writer = writers_.back();
    if (!state_.window.is_retired(writer) && !state_.tasks[writer].finished) return false;
    writers_.pop_back();
  }
  return true;
}

void Orchestrator::end() {
  if (!close_batch()) ended_ = true;
}

// Rule 12: an open batch is published before the orchestrator waits, pays a readback or ends. True if there is one.
bool Orchestrator::close_batch() {
  if (batch_.empty()) return false;
  publishing_ = true;
  pay(state_.machine.costs.submit);
  return true;
}

void Orchestrator::publish_batch() {
  size_t first = 0;
  for (const Pending& pending : batch_) {
    publish(pending.task, edges_.data() + first, edges_.data() + pending.edges);
    first = pending.edges;
  }
  batch_.clear();
  edges_.clear();
  publishing_ = false;
}

// Sources whose service has begun are resolved at its end; the others resolve the task in their own service.
void Orchestrator::publish(int64_t id, const Edge* first, const Edge* last) {
  Task& task = state_.tasks[id];
  task.published = task.ready = state_.now;
  task.waited = Stall::DepWait;
  for (const Edge* edge = first; edge != last; ++edge) {
    if (state_.window.is_retired(edge->source)) continue;
    Task& source = state_.tasks[edge->source];
    if (source.served) {
      task.ready = std::max(task.ready, source.service_end);
    } else {
      state_.links.append(source.successors, id);
      ++task.unresolved;
    }
  }
  if (joins_.wait(id, task, task.ready)) ++task.unresolved;
  if (task.unresolved == 0) readiness_.all_resolved(id, task.ready);
}

void Orchestrator::pay(int64_t cycles) {
  state_.stats.orchestrator_busy += cycles;
  free_at_ = state_.now + cycles;
  if (cycles > 0) state_.events.push(free_at_, EventKind::Orchestrator, 0);
}

void Orchestrator::wait(Stall cause) {
  if (state_.schedule.start == Start::AfterOrchestration) refuse_waiting(cause);
  if (cause == Stall::WindowFull && state_.schedule.window_mode == WindowMode::Abort) {
    const int64_t used = state_.window.used();
    throw ExecutionError(next_task() + " needs " + std::to_string(fields_.size) + " of " + window_text() +
                         ", of which the tasks from " + state_.name_of(state_.window.oldest()) + " on hold " +
                         std::to_string(used) + ": raise the window to at least " +
                         std::to_string(used + fields_.size) + ", or set window_mode to stall");
  }
  waiting_ = true;
  doing_ = cause;
  waited_for_ = cause == Stall::WindowFull ? state_.window.oldest() : writers_.back();
}

// Rule 5: nothing would ever be dispatched.
void Orchestrator::refuse_waiting(Stall cause) {
  const std::string start = "start=after_orchestration dispatches nothing before all tasks are submitted, but ";
  if (cause == Stall::Readback) {
    throw ScheduleError(start + "the workload reads what " + state_.name_of(writers_.back()) +
                        " writes: use start=threshold(N)");
  }
  if (state_.schedule.window_unit != WindowUnit::Tasks) {
    throw ScheduleError(start + next_task() + " does not fit into " + window_text() +
                        " beside those before it: raise the window");
  }
  const std::string tasks = std::to_string(tasks_to_come());
  throw ScheduleError(start + "window=" + std::to_string(state_.schedule.window) + " < " + tasks +
                      " tasks: raise the window to at least " + tasks);
}

// Reads the stream to its end: how many tasks there are in all.
int64_t Orchestrator::tasks_to_come() {
  int64_t tasks = state_.window.submitted();
  for (; record_.kind != RecordKind::End; read_record()) {
    if (record_.kind != RecordKind::Task) continue;
    ++tasks;
    for (uint32_t i = 0; i < record_.axes + record_.count; ++i) stream_.get();
    if (!SharedMemory::has_l2(state_.machine, state_.schedule)) continue;
    for (uint64_t left = 3 * stream_.get(); left > 0; --left) stream_.get();
  }
  return tasks;
}

std::string Orchestrator::window_text() const {
  return "window=" + std::to_string(state_.schedule.window) + " " + unit_name(state_.schedule.window_unit);
}

std::string Orchestrator::next_task() const {
  const auto site = static_cast<uint32_t>(what_ >> 32);
  std::string text =
      "task " + std::to_string(state_.window.submitted()) + " (" + state_.kernels[static_cast<uint32_t>(what_)].name;
  if (site < state_.sites.size()) text += std::string(", ") + state_.sites[site].location;
  return text + ")";
}

std::string Orchestrator::wait_name() const {
  if (waiting_ && record_.kind == RecordKind::Read) {
    return "the orchestrator waits for " + state_.name_of(writers_.back()) + ", whose result the workload reads";
  }
  if (waiting_) {
    return "the orchestrator waits until " + next_task() + " fits into " + window_text() + ": raise the window";
  }
  return "all tasks are submitted";
}

}  // namespace pto
