// The machine in virtual time (docs/execution-model.md).
#pragma once

#include <atomic>
#include <memory>
#include <span>

#include "pto/config.h"
#include "pto/source.h"
#include "pto/stats.h"

namespace pto {

// Throws ScheduleError for a schedule that the machine cannot honour, whatever the tasks: what can be known without
// them.
void check_schedule(const MachineConfig& machine, const Schedule& schedule, std::span<const KernelInfo> kernels);

// Takes a stream of tasks and simulates it on a thread of its own while the stream goes on:
// the caller's thread infers dependencies, the simulation's thread advances virtual time.
class Simulation final : public TaskSink {
 public:
  // Throws ScheduleError for a schedule that the machine cannot honour. `trace` may be null.
  // `stop` is looked at by both threads; once it is true every call throws Stopped.
  // `sites` say how many axes a task has, for the trace's rows; without them rows have no axes.
  Simulation(MachineConfig machine, Schedule schedule, std::span<const KernelInfo> kernels,
             std::span<const TensorInfo> tensors, TraceSink* trace, const std::atomic<bool>& stop,
             std::span<const pto_site> sites = {});
  ~Simulation() override;

  int64_t submit(const pto_task& task) override;
  void read(const pto_region& region) override;
  void scope_begin() override;
  void part() override;
  void scope_end() override;
  void processes_begin(uint32_t count) override;
  void process(uint32_t number) override;
  void processes_end() override;
  void loop_begin() override;
  void iteration() override;
  void loop_end() override;
  void mark(uint32_t event) override;
  void wait(uint32_t event, ProcessWait why) override;
  void forget(uint32_t event) override;

  // The stream has ended: waits for the last cycle. Rethrows what the simulation's thread threw.
  Stats finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pto
