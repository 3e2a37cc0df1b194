// Processes and the events that they mark and wait for, as joins (rule 16).
#pragma once

#include <cstdint>
#include <vector>

#include "engine/joins.h"
#include "pto/source.h"

namespace pto {

class Processes {
 public:
  explicit Processes(Joins& joins) : joins_(joins) {}

  void begin(uint32_t count);
  void turn(uint32_t process);
  void end();
  void loop_begin();
  void iteration() { end_iteration(); }
  void loop_end();
  void mark(uint32_t event);
  void wait(uint32_t event, ProcessWait why);
  void forget(uint32_t event);

  bool active() const { return current_ != nullptr; }
  // Makes a new task a member of the iteration around it, and lets it wait for what its process waits for.
  void enter(TaskDetails& task);

 private:
  static constexpr int32_t kNone = Joins::kNone;

  // An iteration of a loop, or all of the process.
  struct Level {
    int32_t before = kNone;  // what there was in this iteration so far
    bool open = false;       // tasks may be added to it
    int32_t ended = kNone;   // the iterations before this one
  };
  struct Process {
    std::vector<Level> levels;
    std::vector<Joins::Scope> scopes;  // while another process goes on
    int32_t gate = kNone;              // what all that follows waits for
    int32_t part = kNone;              // that the last task waited for besides
    int32_t both = kNone;              // the join of part and gate
  };
  struct Event {
    int32_t join = kNone;              // none: nothing comes before
    const Process* process = nullptr;  // that marked it
    int32_t gate = kNone;              // and what it waited for then
  };

  Level& level() { return current_->levels.back(); }
  void close(Level& level);
  void end_iteration();
  // The level's join, which one may add to.
  int32_t open_join(Level& level);
  int32_t both(int32_t part);
  void forget_both();
  void set_gate(int32_t gate);
  void release(int32_t& join);

  Joins& joins_;
  size_t scopes_around_ = 0;
  std::vector<Process> processes_;
  Process* current_ = nullptr;
  std::vector<Event> events_;
};

}  // namespace pto
