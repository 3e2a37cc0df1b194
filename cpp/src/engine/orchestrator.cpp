#include "engine/orchestrator.h"

#include <algorithm>
#include <string>

#include "engine/homes.h"

namespace pto {

void Orchestrator::run() {
  while (state_.events.has(state_.now, EventKind::Orchestrator)) state_.events.pop();
  waiting_ = false;
  while (is_free() && !waiting_ && !ended_) step();
}

void Orchestrator::step() {
  if (publishing_) publish_batch();
  if (!fetched_) {
    record_ = RecordHead::unpack(stream_.get());
    fetched_ = true;
    if (record_.kind == RecordKind::Read) {
      writers_.clear();
      for (uint32_t i = 0; i < record_.count; ++i) writers_.push_back(static_cast<int64_t>(stream_.get()));
    }
  }
  switch (record_.kind) {
    case RecordKind::Task:
      return handle_task();
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
  }
}

// Rule 3: a task is submitted when it fits beside the live ones.
void Orchestrator::handle_task() {
  if (state_.window.fits_one_more()) {
    submit();
    next_record();
  } else if (!close_batch()) {
    wait(Stall::WindowFull);
  }
}

void Orchestrator::submit() {
  const int64_t oldest = state_.window.oldest();
  const int64_t id = state_.window.take_place();
  const uint64_t what = stream_.get();
  Task& task = state_.tasks.add(id, oldest);
  task.kernel = static_cast<uint32_t>(what);
  task.site = static_cast<uint32_t>(what >> 32);
  task.axis_count = record_.axes;
  task.home = static_cast<int32_t>(record_.home) - 1;
  static_assert(Homes::kShared == -1);
  const KernelInfo& kernel = state_.kernels[task.kernel];
  task.unit = static_cast<uint8_t>(kernel.unit);
  task.submit = state_.now;
  task.before_submit = doing_;
  doing_ = Stall::SubmitBusy;
  for (uint32_t i = 0; i < record_.axes; ++i) state_.axes.push(static_cast<int64_t>(stream_.get()));
  joins_.enter(task);
  joins_.trace_wait(id, task);
  read_edges(id, record_.count);
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
  waiting_ = true;
  doing_ = cause;
}

std::string Orchestrator::wait_name() const {
  if (waiting_ && record_.kind == RecordKind::Read) {
    return "the orchestrator waits for task " + std::to_string(writers_.back()) + ", whose result it reads";
  }
  if (waiting_) {
    return "the orchestrator waits until task " + std::to_string(state_.window.submitted()) + " fits into the window";
  }
  return "all tasks are submitted";
}

}  // namespace pto
