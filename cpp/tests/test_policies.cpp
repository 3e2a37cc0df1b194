// Each policy on a smallest program, its rows worked out by hand: task core scheduler submit ready dispatch start end
// retire. Core 0 is a cube core, idle where nothing is said; costs that are not set are 0.
#include <doctest/doctest.h>

#include <utility>

#include "pto/error.h"
#include "table_source.h"

namespace {

using namespace pto;
using namespace pto::test;

std::string rows(TableSource& source, const MachineConfig& machine, const Schedule& schedule) {
  TextTrace trace;
  simulate(source, machine, schedule, &trace);
  return trace.tasks;
}

// Equal tasks without operands, one for each key.
TableSource tasks_with_keys(int64_t duration, const std::vector<int64_t>& keys) {
  TableSource source;
  for (const int64_t key : keys) source.task({}, duration, PTO_VECTOR, key);
  return source;
}

MachineConfig two_schedulers() {
  MachineConfig machine = machine_with(2);
  machine.schedulers = machine.schedulers_max = 2;
  return machine;
}

Schedule homes_by(Dispatch::Kind kind) {
  Schedule schedule;
  schedule.keys = {"key"};
  schedule.dispatch = {{1, {kind, 0, 0}}};
  return schedule;
}

Schedule in_lanes(Timing timing, int64_t lanes) {
  Schedule schedule;
  schedule.deps = Deps::Inferred;  // streams are lanes without edges
  schedule.keys = {"lane"};
  schedule.stream_key = 0;
  schedule.streams = 2;
  schedule.timing = timing;
  schedule.timing_number = lanes;
  return schedule;
}

}  // namespace

TEST_CASE("keyed homes: both tasks share the core of scheduler 1") {
  const std::string one_by_one =
      "0 2 1 0 0 0 0 4 4\n"
      "1 2 1 0 0 4 4 8 8\n";
  SUBCASE("affinity: 3 and -1 are 1 modulo 2") {
    TableSource source = tasks_with_keys(4, {3, -1});
    CHECK(rows(source, two_schedulers(), homes_by(Dispatch::Kind::Affinity)) == one_by_one);
  }
  SUBCASE("hash: splitmix64 of 0 and of 1 is odd") {
    TableSource source = tasks_with_keys(4, {0, 1});
    CHECK(rows(source, two_schedulers(), homes_by(Dispatch::Kind::Hash)) == one_by_one);
  }
  SUBCASE("dispatch_by: the key is the scheduler") {
    TableSource source = tasks_with_keys(4, {1, 1});
    CHECK(rows(source, two_schedulers(), homes_by(Dispatch::Kind::DispatchBy)) == one_by_one);
  }
}

TEST_CASE("dispatch_threshold: the third task has no home, and scheduler 1 takes it") {
  Schedule schedule = homes_by(Dispatch::Kind::Affinity);
  schedule.dispatch.push_back({3, {}});
  TableSource source = tasks_with_keys(4, {0, 0, 0});
  CHECK(rows(source, two_schedulers(), schedule) ==
        "0 1 0 0 0 0 0 4 4\n"
        "1 1 0 0 0 4 4 8 8\n"
        "2 2 1 0 0 0 0 4 8\n");
}

TEST_CASE("a key beyond what it chooses from names the task, its kernel and the value") {
  Schedule schedule;
  schedule.keys = {"key"};
  const auto run = [&schedule](int64_t key) {
    TableSource source = tasks_with_keys(4, {1, key});
    simulate(source, two_schedulers(), schedule, nullptr);
  };
  SUBCASE("a scheduler") {
    schedule = homes_by(Dispatch::Kind::DispatchBy);
    CHECK_THROWS_WITH_AS(run(2),
                         "task 1 (k1): dispatch_by gave scheduler 2, expected 0 to 1, which own vector cores of pool "
                         "`vector`",
                         ExecutionError);
  }
  SUBCASE("a pool") {
    schedule.pools = Pools::Custom;
    schedule.pool_key = 0;
    schedule.custom_pools = {{"a", 0, 1}, {"b", 0, 1}};
    CHECK_THROWS_WITH_AS(run(-1), "task 1 (k1): its pool is -1, expected 0 to 1, a position among the custom pools",
                         ExecutionError);
  }
  SUBCASE("a duration") {
    schedule.cost_key = 0;
    CHECK_THROWS_WITH_AS(run(0), "task 1 (k1): the cost function gave 0 cycles, expected at least 1", ExecutionError);
  }
}

TEST_CASE("custom pools: the two tasks of b run one by one on its only core") {
  Schedule schedule;
  schedule.keys = {"pool"};
  schedule.pools = Pools::Custom;
  schedule.pool_key = 0;
  schedule.custom_pools = {{"a", 0, 2}, {"b", 0, 1}};
  TableSource source = tasks_with_keys(4, {1, 1, 0});
  CHECK(rows(source, machine_with(3), schedule) ==
        "0 3 0 0 0 0 0 4 4\n"
        "1 3 0 0 0 4 4 8 8\n"
        "2 1 0 0 0 0 0 4 8\n");
}

TEST_CASE("a custom pool of two units: the second cube task stands in front of the vector task") {
  Schedule schedule;
  schedule.keys = {"pool"};
  schedule.pools = Pools::Custom;
  schedule.pool_key = 0;
  schedule.custom_pools = {{"both", 1, 1}};
  TableSource source;
  source.task({}, 6, PTO_CUBE).task({}, 6, PTO_CUBE).task({}, 6);
  TextTrace trace;
  simulate(source, machine_with(1), schedule, &trace);
  CHECK(trace.tasks ==
        "0 0 0 0 0 0 0 6 6\n"
        "1 0 0 0 0 6 6 12 12\n"
        "2 1 0 0 0 6 6 12 12\n");
  CHECK(trace.stalls == std::vector<std::string>{"", "[0,6) no_core; "});
}

TEST_CASE("priority: lower goes first, then id") {
  Schedule schedule;
  schedule.keys = {"place"};
  schedule.ready = Ready::Priority;
  schedule.priority_key = 0;
  TableSource source = tasks_with_keys(2, {5, -1, 5, 0});
  CHECK(rows(source, machine_with(1), schedule) ==
        "0 1 0 0 0 4 4 6 6\n"
        "1 1 0 0 0 0 0 2 6\n"
        "2 1 0 0 0 6 6 8 8\n"
        "3 1 0 0 0 2 2 4 8\n");
}

TEST_CASE("after_orchestration: nothing before the submission of both has ended, at 4") {
  MachineConfig machine = machine_with(1);
  machine.costs.submit = 2;
  Schedule schedule;
  schedule.start = Start::AfterOrchestration;
  TableSource source = tasks_with_keys(3, {0, 0});
  CHECK(rows(source, machine, schedule) ==
        "0 1 0 0 2 4 4 7 7\n"
        "1 1 0 2 4 7 7 10 10\n");
  schedule.window = 1;
  CHECK_THROWS_WITH_AS(simulate(source, machine, schedule, nullptr),
                       "start=after_orchestration dispatches nothing before all tasks are submitted, but window=1 < 2 "
                       "tasks: raise the window to at least 2",
                       ScheduleError);
}

TEST_CASE("the window's units") {
  Schedule schedule;
  TableSource source;
  SUBCASE("bytes: 16 and 16 fill it, the third waits for both; what is only read is free") {
    schedule.window = 32;
    schedule.window_unit = WindowUnit::Bytes;
    source.task({out(0, 0, 4), in(3, 0, 64)}, 4).task({out(1, 0, 4)}, 6).task({out(2, 0, 8)}, 4);
    CHECK(rows(source, machine_with(3), schedule) ==
          "0 1 0 0 0 0 0 4 4\n"
          "1 2 0 0 0 0 0 6 6\n"
          "2 1 0 6 6 6 6 10 10\n");
  }
  SUBCASE("entries: one operand, then two") {
    schedule.window = 2;
    schedule.window_unit = WindowUnit::Entries;
    source.task({out(0, 0, 1)}, 4).task({in(1, 0, 1), out(2, 0, 1)}, 5);
    CHECK(rows(source, machine_with(2), schedule) ==
          "0 1 0 0 0 0 0 4 4\n"
          "1 1 0 4 4 4 4 9 9\n");
  }
}

TEST_CASE("the window's modes") {
  Schedule schedule;
  schedule.window = 2;
  SUBCASE("abort: an error instead of the wait") {
    schedule.window_mode = WindowMode::Abort;
    TableSource source = tasks_with_keys(4, {0, 0, 0});
    CHECK_THROWS_WITH_AS(simulate(source, machine_with(2), schedule, nullptr),
                         "task 2 (k2, table:1) needs 1 of window=2 tasks, of which the tasks from task 0 (k0, table:1) "
                         "on hold 2: raise the window to at least 3, or set window_mode to stall",
                         ExecutionError);
    TableSource fits = tasks_with_keys(4, {0, 0});
    CHECK(simulate(fits, machine_with(2), schedule, nullptr).makespan == 4);
  }
  SUBCASE("benchmark: any number of tasks is live, and those that did not fit are counted") {
    schedule.window_mode = WindowMode::Benchmark;
    const KernelInfo kernel{"one", PTO_VECTOR, {PTO_INOUT}, {}};
    const TensorInfo tensor{"x", 4, {1000}};
    const std::atomic<bool> stop{false};
    Simulation simulation(machine_with(1), schedule, {&kernel, 1}, {&tensor, 1}, nullptr, stop);
    const pto_region region = region_of(inout(0, 0, 1));
    for (int i = 0; i < 100'000; ++i) simulation.submit({0, 0, nullptr, &region, 0, nullptr, nullptr, nullptr});
    const Stats stats = simulation.finish();
    CHECK(stats.window_overruns == 99'998);
    CHECK(stats.window_high_water == 100'000);
    CHECK(stats.makespan == 100'000);  // a chain of tasks of 1 cycle
  }
}

TEST_CASE("a timing policy") {
  MachineConfig machine = machine_with(2);
  Schedule schedule;
  SUBCASE("batched: 0 waits for 1; 2 is alone and enters when nothing else goes on") {
    machine.costs.submit = 2;
    schedule.timing = Timing::Batched;
    schedule.timing_number = 2;
    TableSource source = tasks_with_keys(3, {0, 0, 0});
    CHECK(rows(source, machine, schedule) ==
          "0 1 0 0 2 4 4 7 7\n"
          "1 2 0 2 4 4 4 7 7\n"
          "2 1 0 4 6 7 7 10 10\n");
  }
  SUBCASE("rate_limit: 10/3 cycles apart, rounded up") {
    schedule.timing = Timing::RateLimit;
    schedule.timing_number = 300'000;  // a millisecond has 10^6 cycles
    TableSource source = tasks_with_keys(3, {0, 0});
    CHECK(rows(source, machine, schedule) ==
          "0 1 0 0 0 0 0 3 3\n"
          "1 1 0 0 0 4 4 7 7\n");
  }
  SUBCASE("interleaved: lanes take turns") {
    TableSource source = tasks_with_keys(2, {0, 0, 1, 1});
    CHECK(rows(source, machine_with(1), in_lanes(Timing::Interleaved, 2)) ==
          "0 1 0 0 0 0 0 2 2\n"
          "1 1 0 0 0 4 4 6 6\n"
          "2 1 0 0 0 2 2 4 6\n"
          "3 1 0 0 0 6 6 8 8\n");
  }
}

TEST_CASE("streams order their tasks, and after= its tasks") {
  Schedule schedule;
  schedule.deps = Deps::Explicit;
  TextTrace trace;
  SUBCASE("streams: by id modulo 2, 0 and 2 follow each other") {
    schedule.streams = 2;
    TableSource source = tasks_with_keys(4, {0, 0, 0});
    simulate(source, machine_with(3), schedule, &trace);
    CHECK(trace.edges == "0->2 stream\n");
    CHECK(trace.tasks ==
          "0 1 0 0 0 0 0 4 4\n"
          "1 2 0 0 0 0 0 4 4\n"
          "2 1 0 0 4 4 4 8 8\n");
  }
  SUBCASE("after: the third waits for the first, and what they write orders nothing") {
    TableSource source;
    for (int i = 0; i < 3; ++i) source.task({out(0, 0, 4)}, 4);
    source.after({0});
    simulate(source, machine_with(3), schedule, &trace);
    CHECK(trace.edges == "0->2 explicit\n");
    CHECK(trace.tasks ==
          "0 1 0 0 0 0 0 4 4\n"
          "1 2 0 0 0 0 0 4 4\n"
          "2 1 0 0 4 4 4 8 8\n");
  }
}

TEST_CASE("scopes of the depth") {
  MachineConfig machine = machine_with(1);
  Schedule schedule;
  schedule.depth = 1;
  SUBCASE("per_pool: a scheduler of two cores has two in flight, both on the core that fits") {
    schedule.pools = Pools::Single;
    schedule.depth_scope = DepthScope::PerPool;
    machine.costs.dispatch_latency = 3;
    TableSource source = tasks_with_keys(4, {0, 0, 0});
    CHECK(rows(source, machine, schedule) ==
          "0 1 0 0 0 0 3 7 7\n"
          "1 1 0 0 0 0 7 11 11\n"
          "2 1 0 0 0 7 11 15 15\n");
  }
  SUBCASE("global: two vector tasks take both places, the cube task waits") {
    schedule.depth_scope = DepthScope::Global;
    TableSource source = tasks_with_keys(4, {0, 0});
    source.task({}, 6, PTO_CUBE);
    CHECK(rows(source, machine, schedule) ==
          "0 1 0 0 0 0 0 4 4\n"
          "1 1 0 0 0 0 4 8 8\n"
          "2 0 0 0 0 4 4 10 10\n");
  }
  SUBCASE("per_stream: the second of stream 0 waits for the first, the other stream passes it") {
    schedule = in_lanes(Timing::Immediate, 1);
    schedule.depth = 1;
    schedule.depth_scope = DepthScope::PerStream;
    TableSource source;
    source.task({}, 6, PTO_CUBE, 0).task({}, 3, PTO_VECTOR, 0).task({}, 2, PTO_VECTOR, 1);
    CHECK(rows(source, machine, schedule) ==
          "0 0 0 0 0 0 0 6 6\n"
          "1 1 0 0 0 6 6 9 9\n"
          "2 1 0 0 0 0 0 2 9\n");
  }
}

TEST_CASE("cycles(KEY): the key is the duration, and no bytes move") {
  MachineConfig machine = machine_with(1);
  machine.memory_bytes = 1;
  Schedule schedule;
  schedule.keys = {"cost"};
  schedule.cost_key = 0;
  KernelCost cost;
  cost.load = 2;
  cost.compute = 4;
  cost.bytes = cost.load_bytes = 100;
  TableSource source;
  source.task({}, cost, PTO_VECTOR, 3).task({}, cost, PTO_VECTOR, 1);
  CHECK(rows(source, machine, schedule) ==
        "0 1 0 0 0 0 0 3 3\n"
        "1 1 0 0 0 3 3 4 4\n");
  CHECK(simulate(source, machine, schedule, nullptr).memory_bytes == 0);
}
