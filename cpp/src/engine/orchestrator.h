// Phase Orchestrator: tasks are submitted and published, reads wait (rules 3 and 4).
#pragma once

#include <span>
#include <string>
#include <vector>

#include "engine/joins.h"
#include "engine/machine_state.h"
#include "engine/orchestrator_state.h"
#include "engine/processes.h"
#include "engine/readiness.h"
#include "engine/record_stream.h"
#include "engine/records.h"
#include "engine/task_fields.h"

namespace pto {

class Orchestrator {
 public:
  Orchestrator(MachineState& state, Readiness& readiness, Joins& joins, RecordStream& stream);

  // Goes on as long as it is free and need not wait.
  void run() {
    if (state_.events.has(EventKind::Orchestrator) || !is_stuck()) go_on();
  }

  OrchestratorState state() const { return {waiting_, ended_}; }
  // What it waits for, as a sentence.
  std::string wait_name() const;

 private:
  bool is_free() const { return free_at_ <= state_.now; }
  // It has ended, works, or waits for the window, which no task has left.
  bool is_stuck() const {
    return ended_ || !is_free() ||
           (waiting_ && record_.kind == RecordKind::Task && waited_for_ == state_.window.oldest());
  }
  void go_on();
  void step();
  void read_record();
  void read_task();
  void handle_structure();
  void handle_process_record();
  void handle_task();
  bool overruns();
  void submit();
  void describe(Task& task);
  void add_details(int64_t id, Task& task);
  void enter_structure(int64_t id);
  void read_axes(const Task& task);
  void read_edges(int64_t id, Task& task);
  void read_touches(TaskDetails& details);
  void handle_read();
  bool writers_finished();
  void end();
  bool close_batch();
  void publish_batch();
  void publish(int64_t id, std::span<const uint64_t> edges);
  void pay(int64_t cycles);
  void wait(Stall cause);
  [[noreturn]] void refuse_size() const;
  [[noreturn]] void refuse_full_window();
  [[noreturn]] void refuse_waiting(Stall cause);
  int64_t tasks_to_come();
  std::string window_text() const;
  std::string next_task() const;
  void next_record() { fetched_ = false; }

  MachineState& state_;
  Readiness& readiness_;
  Joins& joins_;
  Processes processes_;
  RecordStream& stream_;
  const bool reads_touches_, reads_fields_;  // with each task
  const bool details_;                       // of every task are wanted

  RecordHead record_;
  uint64_t what_ = 0;         // of a task: kernel | site << 32
  uint32_t cost_record_ = 0;  // of a task
  KernelCost cost_;           // of a record of that kind
  TaskFields fields_;         // of a task
  bool fetched_ = false;      // record_ is the next one, and not done with
  int64_t free_at_ = 0;
  bool waiting_ = false;
  bool ended_ = false;
  Stall doing_ = Stall::SubmitBusy;  // since the last submission
  int64_t waited_for_ = kNoTask;     // since then
  bool publishing_ = false;          // the batch is published when the server is free again
  int64_t published_ = 0;            // tasks; the batch is those submitted since
  std::vector<uint64_t> edges_;      // of the batch, packed
  std::vector<int64_t> writers_;     // of the read that is next, not known to be finished
};

}  // namespace pto
