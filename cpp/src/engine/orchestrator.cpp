#include "engine/orchestrator.h"

#include <algorithm>
#include <bit>
#include <string>

#include "engine/homes.h"
#include "engine/ready_queues.h"
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

Orchestrator::Orchestrator(MachineState& state, Readiness& readiness, Joins& joins, RecordStream& stream)
    : state_(state),
      readiness_(readiness),
      joins_(joins),
      processes_(joins),
      stream_(stream),
      reads_touches_(SharedMemory::has_l2(state.machine, state.schedule)),
      reads_fields_(uses_fields(state.schedule)),
      details_(reads_touches_ || reads_fields_ || state.trace != nullptr) {}

void Orchestrator::go_on() {
  while (state_.events.has(EventKind::Orchestrator)) state_.events.pop();
  waiting_ = false;
  while (is_free() && !waiting_ && !ended_) step();
}

inline void Orchestrator::step() {
  if (publishing_) publish_batch();
  if (!fetched_) read_record();
  record_.kind == RecordKind::Task ? handle_task() : handle_structure();
}

void Orchestrator::handle_structure() {
  switch (record_.kind) {
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
inline void Orchestrator::read_record() {
  record_ = RecordHead::unpack(stream_.get());
  fetched_ = true;
  if (record_.kind == RecordKind::Task) {
    read_task();
  } else if (record_.kind == RecordKind::Cost) {
    CostWords words{};
    for (uint64_t& word : words) word = stream_.get();
    cost_ = std::bit_cast<KernelCost>(words);
  } else if (record_.kind == RecordKind::Read) {
    writers_.clear();
    for (uint32_t i = 0; i < record_.count; ++i) writers_.push_back(static_cast<int64_t>(stream_.get()));
  }
}

inline void Orchestrator::read_task() {
  what_ = stream_.get();
  const auto kernel = static_cast<uint32_t>(what_);
  const KernelTraits& traits = state_.traits[kernel];
  cost_record_ = traits.own_costs ? static_cast<uint32_t>(stream_.get()) : kernel;
  fields_.pool = traits.pool;
  if (!reads_fields_) return;
  visit_used(state_.schedule, fields_, [this](int64_t& field) { field = static_cast<int64_t>(stream_.get()); });
}

// Rule 3: a task is submitted when it fits beside the live ones.
inline void Orchestrator::handle_task() {
  if (state_.window.fits(fields_.size) || overruns()) {
    submit();
    next_record();
  } else if (!close_batch()) {
    wait(Stall::WindowFull);
  }
}

// The task does not fit: true where it is submitted all the same.
inline bool Orchestrator::overruns() {
  if (state_.schedule.window_mode == WindowMode::Benchmark) {
    ++state_.stats.window_overruns;
    return true;
  }
  if (!state_.window.can_ever_fit(fields_.size)) refuse_size();
  return false;
}

void Orchestrator::refuse_size() const {
  const std::string size = std::to_string(fields_.size);
  throw ExecutionError(next_task() + " needs " + size + " of " + window_text() + ": raise the window to at least " +
                       size);
}

inline void Orchestrator::submit() {
  const int64_t oldest = state_.window.oldest();
  const int64_t id = state_.window.take_place(fields_.size);
  Task& task = state_.tasks.add(id, oldest);
  describe(task);
  const bool structured = joins_.depth() > 0 || processes_.active();
  if (structured || details_) add_details(id, task);
  if (task.axis_count > 0) read_axes(task);
  if (structured) enter_structure(id);
  if (task.edge_count > 0) read_edges(id, task);
  if (reads_touches_) read_touches(state_.tasks.details(id));
  if (structured) joins_.note_membership(id);

  waited_for_ = kNoTask;
  int64_t cycles = state_.traits[task.kernel].submit_cycles;
  if (id + 1 - published_ == state_.schedule.batch) {
    cycles += state_.machine.costs.submit;
    publishing_ = true;
  }
  pay(cycles);
}

// All that is not set later: what the record and the orchestrator's own state say of the task, and that it is new.
inline void Orchestrator::describe(Task& task) {
  task.unresolved = 0;
  task.successors = {};
  task.served = task.finished = task.found_no_core = task.detailed = false;
  task.memory = MemoryLevel::None;
  task.kernel = static_cast<uint32_t>(what_);
  task.site = static_cast<uint32_t>(what_ >> 32);
  task.record = cost_record_;
  task.axis_count = record_.axes;
  task.edge_count = record_.count;
  task.pool = static_cast<int32_t>(fields_.pool);
  task.queue =
      queue_number(static_cast<int>(record_.home) - 1, task.pool, static_cast<int>(state_.topology.pools.size()));
  task.order = fields_.priority;
  task.unit = state_.traits[task.kernel].unit;
  task.submit = state_.now;
  task.before_submit = doing_;
  doing_ = Stall::SubmitBusy;
}

void Orchestrator::add_details(int64_t id, Task& task) {
  task.detailed = true;
  TaskDetails& details = state_.tasks.details(id);
  details = {};
  details.stream = fields_.stream;
  details.cost = fields_.cost;
  details.size = fields_.size;
  details.waited_for = waited_for_;
}

// The task's place in the structure of the program, and the edge from what it waits for there.
void Orchestrator::enter_structure(int64_t id) {
  joins_.enter(id);
  if (processes_.active()) processes_.enter(state_.tasks.details(id));
  joins_.note_wait(id);
}

void Orchestrator::read_axes(const Task& task) {
  for (uint32_t i = 0; i < task.axis_count; ++i) state_.axes.push(static_cast<int64_t>(stream_.get()));
}

inline void Orchestrator::read_edges(int64_t id, Task& task) {
  for (uint32_t i = 0; i < task.edge_count; ++i) {
    edges_.push_back(stream_.get());
    if (state_.trace == nullptr) continue;
    const Edge edge = unpack_edge(edges_.back());
    state_.trace->edge({edge.source, id, edge.kind});
  }
  state_.stats.edges += task.edge_count;
}

void Orchestrator::read_touches(TaskDetails& details) {
  details.touches = state_.touches.end();
  details.touch_count = static_cast<uint32_t>(stream_.get());
  for (uint32_t i = 0; i < details.touch_count; ++i) {
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
inline bool Orchestrator::close_batch() {
  if (published_ == state_.window.submitted()) return false;
  publishing_ = true;
  pay(state_.machine.costs.submit);
  return true;
}

inline void Orchestrator::publish_batch() {
  const std::span<const uint64_t> edges = edges_;
  size_t first = 0;
  for (; published_ < state_.window.submitted(); ++published_) {
    const size_t count = state_.tasks[published_].edge_count;
    publish(published_, edges.subspan(first, count));
    first += count;
  }
  edges_.clear();
  publishing_ = false;
}

// Sources whose service has begun are resolved at its end; the others resolve the task in their own service.
inline void Orchestrator::publish(int64_t id, std::span<const uint64_t> edges) {
  Task& task = state_.tasks[id];
  task.published = task.ready = state_.now;
  task.waited = Stall::DepWait;
  for (const uint64_t packed : edges) {
    const int64_t from = unpack_edge(packed).source;
    if (state_.window.is_retired(from)) continue;
    Task& source = state_.tasks[from];
    if (source.served) {
      task.ready = std::max(task.ready, source.service_end);
    } else {
      state_.links.append(source.successors, id);
      ++task.unresolved;
    }
  }
  if (task.detailed && joins_.wait(id, task.ready)) ++task.unresolved;
  if (task.unresolved == 0) readiness_.all_resolved(id, task.ready);
}

inline void Orchestrator::pay(int64_t cycles) {
  state_.stats.orchestrator_busy += cycles;
  free_at_ = state_.now + cycles;
  if (cycles > 0) state_.events.push(free_at_, EventKind::Orchestrator, 0);
}

inline void Orchestrator::wait(Stall cause) {
  if (state_.schedule.start == Start::AfterOrchestration) refuse_waiting(cause);
  if (cause == Stall::WindowFull && state_.schedule.window_mode == WindowMode::Abort) refuse_full_window();
  waiting_ = true;
  doing_ = cause;
  waited_for_ = cause == Stall::WindowFull ? state_.window.oldest() : writers_.back();
}

void Orchestrator::refuse_full_window() {
  const int64_t used = state_.window.used();
  throw ExecutionError(next_task() + " needs " + std::to_string(fields_.size) + " of " + window_text() +
                       ", of which the tasks from " + state_.name_of(state_.window.oldest()) + " on hold " +
                       std::to_string(used) + ": raise the window to at least " + std::to_string(used + fields_.size) +
                       ", or set window_mode to stall");
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
    if (!reads_touches_) continue;
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
