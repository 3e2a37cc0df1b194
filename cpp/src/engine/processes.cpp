#include "engine/processes.h"

#include <algorithm>

namespace pto {
namespace {

// The name of a wait for what the process waited for already.
constexpr Stall kAsBefore = Stall::Drained;

Stall name_of(ProcessWait why) {
  switch (why) {
    case ProcessWait::Order:
      return Stall::DepWait;
    case ProcessWait::ChannelEmpty:
      return Stall::ChannelEmpty;
    case ProcessWait::ChannelFull:
      return Stall::ChannelFull;
  }
  return Stall::DepWait;
}

}  // namespace

void Processes::begin(uint32_t count) {
  scopes_around_ = joins_.depth();
  processes_.assign(count, {});
  for (Process& process : processes_) process.levels.emplace_back();
}

void Processes::turn(uint32_t process) {
  std::vector<Joins::Scope> nobodys;
  Process& next = processes_[process];
  joins_.exchange_scopes(scopes_around_, current_ != nullptr ? current_->scopes : nobodys, next.scopes);
  current_ = &next;
}

// All scopes and loops of the processes have ended.
void Processes::end() {
  for (Process& process : processes_) {
    close(process.levels.front());
    release(process.levels.front().before);
    release(process.gate);
    release(process.part);
    release(process.both);
  }
  for (Event& event : events_) release(event.join);
  events_.clear();
  current_ = nullptr;
  processes_.clear();
}

void Processes::release(int32_t& join) {
  if (join != kNone) joins_.release(join);
  join = kNone;
}

void Processes::close(Level& level) {
  if (level.open) joins_.close(level.before);
  level.open = false;
}

// What is closed counts in the join that follows it.
int32_t Processes::open_join(Level& level) {
  if (level.open) return level.before;
  int32_t closed = level.before;
  level.before = joins_.open();
  level.open = true;
  if (closed != kNone) joins_.add_join(closed, level.before, Stall::DepWait);
  release(closed);
  return level.before;
}

void Processes::loop_begin() {
  close(level());
  current_->levels.emplace_back();
}

void Processes::end_iteration() {
  Level& iteration = level();
  close(iteration);
  if (iteration.before == kNone) return;
  if (iteration.ended == kNone) iteration.ended = joins_.open();
  joins_.add_join(iteration.before, iteration.ended, Stall::DepWait);
  release(iteration.before);
}

void Processes::loop_end() {
  end_iteration();
  int32_t ended = level().ended;
  current_->levels.pop_back();
  if (ended == kNone) return;
  joins_.close(ended);
  joins_.add_join(ended, open_join(level()), Stall::DepWait);
  release(ended);
}

void Processes::mark(uint32_t event) {
  if (event >= events_.size()) events_.resize(event + 1);
  Event& marked = events_[event];
  marked = {kNone, current_, current_->gate};
  std::vector<int32_t> before;
  for (Level& around : current_->levels) {
    close(around);
    if (around.before != kNone) before.push_back(around.before);
  }
  const int32_t gate = current_->gate;
  if (gate != kNone && std::find(before.begin(), before.end(), gate) == before.end()) before.push_back(gate);
  if (before.empty()) return;
  if (before.size() == 1) {
    marked.join = before.front();
    joins_.hold(marked.join);
    return;
  }
  marked.join = joins_.open();
  for (const int32_t join : before) joins_.add_join(join, marked.join, Stall::DepWait);
  joins_.close(marked.join);
}

// An event of this process that includes the gate takes its place.
void Processes::wait(uint32_t event, ProcessWait why) {
  const Event& awaited = events_[event];
  if (awaited.join == kNone || awaited.join == current_->gate) return;
  if (why == ProcessWait::Order && awaited.process == current_ && awaited.gate == current_->gate) {
    joins_.hold(awaited.join);
    return set_gate(awaited.join);
  }
  const int32_t gate = joins_.open();
  if (current_->gate != kNone) joins_.add_join(current_->gate, gate, kAsBefore);
  joins_.add_join(awaited.join, gate, name_of(why));
  joins_.close(gate);
  set_gate(gate);
}

void Processes::set_gate(int32_t gate) {
  forget_both();
  release(current_->gate);
  current_->gate = gate;
}

void Processes::forget(uint32_t event) { release(events_[event].join); }

void Processes::enter(TaskDetails& task) {
  const int32_t gate = current_->gate;
  if (gate != kNone) {
    const int32_t part = task.waits_for;
    task.waits_for = part == kNone ? gate : both(part);
    joins_.hold(task.waits_for);
    if (part != kNone) joins_.release(part);
  }
  task.grouped = open_join(level());
  joins_.add_task(task.grouped);
}

// A task that waits for a part and for the gate waits for a join of the two.
int32_t Processes::both(int32_t part) {
  if (current_->part == part) return current_->both;
  forget_both();
  joins_.hold(part);
  current_->part = part;
  current_->both = joins_.open();
  joins_.add_join(part, current_->both, Stall::DepWait);
  joins_.add_join(current_->gate, current_->both, kAsBefore);
  joins_.close(current_->both);
  return current_->both;
}

void Processes::forget_both() {
  release(current_->part);
  release(current_->both);
}

}  // namespace pto
