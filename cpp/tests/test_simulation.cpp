// A simulation on its own thread: long streams, bad schedules, and how a run ends early.
#include <doctest/doctest.h>

#include <stdexcept>

#include "pto/error.h"
#include "table_source.h"

namespace {

using namespace pto;
using namespace pto::test;

const std::vector<KernelInfo> kKernels = {{"one", PTO_VECTOR, {PTO_INOUT}, {}}, {"cube", PTO_CUBE, {}, {}}};
const std::vector<TensorInfo> kTensors = {{"x", 4, {1000}}};

pto_task task_on(const pto_region& region, uint32_t kernel = 0) {
  return {kernel, 0, nullptr, &region, 0, nullptr, nullptr, nullptr};
}

pto_region element(int64_t index) { return region_of(inout(0, index, 1)); }

void submit_many(Simulation& simulation, int64_t tasks) {
  for (int64_t i = 0; i < tasks; ++i) simulation.submit(task_on(element(i % 1000)));
}

// Fails at the row of one task.
class FailingTrace final : public TraceSink {
 public:
  explicit FailingTrace(int64_t at) : at_(at) {}
  void task(const TaskRow& row) override {
    if (row.task == at_) throw ExecutionError("the disk is full");
  }
  void edge(const EdgeRow&) override {}
  void stall(const StallRow&) override {}

 private:
  int64_t at_;
};

std::string refusal(const MachineConfig& machine, const Schedule& schedule) {
  const std::atomic<bool> stop{false};
  try {
    Simulation simulation(machine, schedule, kKernels, kTensors, nullptr, stop);
    simulation.submit(task_on(element(0)));
    simulation.finish();
  } catch (const ScheduleError& error) {
    return error.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("an empty program has no cycles") {
  TableSource source;
  source.begin().part().part().end();
  TextTrace trace;
  const Stats stats = simulate(source, machine_with(1), {}, &trace);
  CHECK(stats.tasks == 0);
  CHECK(stats.makespan == 0);
  CHECK(trace == TextTrace());
}

TEST_CASE("ids count from 0 and a long stream flows through a small window") {
  const std::atomic<bool> stop{false};
  Schedule schedule;
  schedule.window = 7;
  Simulation simulation(machine_with(3), schedule, kKernels, kTensors, nullptr, stop);
  constexpr int64_t kTasks = 300'000;  // many times what the ring between the threads holds
  for (int64_t i = 0; i < kTasks; ++i) REQUIRE(simulation.submit(task_on(element(i % 2))) == i);
  const Stats stats = simulation.finish();
  CHECK(stats.tasks == kTasks);
  CHECK(stats.edges == kTasks - 2);
  CHECK(stats.window_high_water == 7);
  CHECK(stats.makespan == kTasks / 2);  // two chains of tasks of 1 cycle
}

TEST_CASE("a task with more sources than a block of the ring has room") {
  const std::atomic<bool> stop{false};
  std::vector<KernelInfo> kernels = kKernels;
  kernels[0].roles = {PTO_IN};
  kernels.push_back({"write", PTO_VECTOR, {PTO_OUT}, {}});
  Schedule schedule;
  schedule.window = 20'000;
  Simulation simulation(machine_with(2), schedule, kernels, kTensors, nullptr, stop);
  submit_many(simulation, 10'000);
  simulation.submit(task_on(region_of(out(0, 0, 1000)), 2));
  const Stats stats = simulation.finish();
  CHECK(stats.edges == 10'000);
  CHECK(stats.makespan == 5'001);
}

TEST_CASE("the trace has the axes of a task's site") {
  TableSource source;
  for (int i = 0; i < 3; ++i) source.task({}, 1);
  TextTrace trace;
  simulate(source, machine_with(1), {}, &trace);
  CHECK(trace.axes == "0\n1\n2\n");
}

TEST_CASE("what fails on the simulation's thread surfaces on the caller's") {
  const std::atomic<bool> stop{false};
  SUBCASE("while it submits") {
    FailingTrace trace(5);
    Simulation simulation(machine_with(1), Schedule{}, kKernels, kTensors, &trace, stop);
    CHECK_THROWS_WITH_AS(submit_many(simulation, 10'000'000), "the disk is full", ExecutionError);
    CHECK_THROWS_WITH_AS(simulation.finish(), "the disk is full", ExecutionError);
  }
  SUBCASE("at the end") {
    FailingTrace trace(5);
    Simulation simulation(machine_with(1), Schedule{}, kKernels, kTensors, &trace, stop);
    submit_many(simulation, 6);
    CHECK_THROWS_WITH_AS(simulation.finish(), "the disk is full", ExecutionError);
  }
}

TEST_CASE("a stop ends both sides") {
  std::atomic<bool> stop{false};
  Simulation simulation(machine_with(1), Schedule{}, kKernels, kTensors, nullptr, stop);
  submit_many(simulation, 10);
  stop = true;
  CHECK_THROWS_AS(simulation.submit(task_on(element(0))), Stopped);
  CHECK_THROWS_AS(simulation.read(element(0)), Stopped);
  CHECK_THROWS_AS(simulation.part(), Stopped);
  CHECK_THROWS_AS(simulation.finish(), Stopped);
}

TEST_CASE("a stop from a trace row, while the caller is blocked or submitting") {
  std::atomic<bool> stop{false};
  struct StoppingTrace final : TraceSink {
    explicit StoppingTrace(std::atomic<bool>& flag) : flag_(flag) {}
    void task(const TaskRow&) override { flag_ = true; }
    void edge(const EdgeRow&) override {}
    void stall(const StallRow&) override {}
    std::atomic<bool>& flag_;
  } trace(stop);
  Simulation simulation(machine_with(1), Schedule{}, kKernels, kTensors, &trace, stop);
  CHECK_THROWS_AS(submit_many(simulation, 10'000'000), Stopped);
}

TEST_CASE("a simulation may be left at any point") {
  const std::atomic<bool> stop{false};
  for (const int64_t tasks : {0, 1, 100'000}) {
    Simulation simulation(machine_with(1), Schedule{}, kKernels, kTensors, nullptr, stop);
    submit_many(simulation, tasks);
  }
  CHECK(!stop);
}

TEST_CASE("what a machine cannot honour is refused, with the setting's name") {
  MachineConfig machine = machine_with(1);
  Schedule schedule;
  SUBCASE("a window without room") {
    schedule.window = 0;
    CHECK(refusal(machine, schedule) == "window is 0: it must be at least 1");
  }
  SUBCASE("more schedulers than there may be") {
    schedule.dispatch = {{1, {Dispatch::Kind::RoundRobin, 4}}};
    CHECK(refusal(machine, schedule) ==
          "the number of schedulers is 4: it must be at most the machine's schedulers_max, 1");
  }
  SUBCASE("a policy without its key") {
    schedule.dispatch = {{1, {Dispatch::Kind::Affinity, 0, 0}}};
    CHECK(refusal(machine, schedule) == "dispatch affinity needs a key function, and the schedule names none for it");
  }
  SUBCASE("a unit without cores") {
    machine.vector_cores = 0;
    CHECK(refusal(machine, schedule) ==
          "kernel 'one' needs a vector core, and pool `vector` has none: raise `cores.vector`, or the pool's share of "
          "it");
  }
  SUBCASE("settings that could do nothing") {
    schedule.depth_scope = DepthScope::PerPool;
    CHECK(refusal(machine, schedule) == "depth_scope belongs to `depth`, which is 0: set it, or depth_scope=core");
    schedule.depth = 2;
    schedule.depth_scope = DepthScope::PerStream;
    CHECK(refusal(machine, schedule) == "depth_scope=per_stream limits streams, and `streams` is 0: set it");
    schedule.keys = {"lane"};
    schedule.stream_key = 0;
    schedule.depth_scope = DepthScope::Core;
    CHECK(refusal(machine, schedule) == "stream_by chooses among streams, and `streams` is 0: set it");
  }
  SUBCASE("two policies for one threshold") {
    schedule.dispatch = {{4, {}}, {4, {}}};
    CHECK(refusal(machine, schedule) == "dispatch_threshold 4 is given twice: name one policy for it");
  }
}
