// Small programs worked out by hand from the rules of docs/execution-model.md: every row, edge and stall.
#include <doctest/doctest.h>

#include "table_source.h"

namespace {

using namespace pto;
using namespace pto::test;

// Rows: task core scheduler submit ready dispatch start end retire.
struct Timeline {
  std::string tasks, edges;
  std::vector<std::string> stalls;
  int64_t makespan;
};

KernelCost phases(int64_t load, int64_t compute, int64_t load_bytes = 0, int64_t bytes = 0) {
  KernelCost cost;
  cost.load = load;
  cost.compute = compute;
  cost.load_bytes = load_bytes;
  cost.bytes = bytes;
  return cost;
}

// Rule 14: on every pool, tiles and stalls add up to all core cycles; kernels have the same stalls but the last.
void check_totals(const Stats& stats) {
  std::array<int64_t, kStallCauses> before_tasks{};
  for (const KernelStats& kernel : stats.kernels) {
    for (size_t cause = 0; cause < kStallCauses; ++cause) before_tasks[cause] += kernel.stalls[cause];
  }
  for (const PoolStats& pool : stats.pools) {
    int64_t cycles = pool.busy;
    for (size_t cause = 0; cause < kStallCauses; ++cause) {
      cycles += pool.stalls[cause];
      before_tasks[cause] -= pool.stalls[cause];
    }
    CHECK(cycles == pool.cores * stats.makespan);
  }
  for (size_t cause = 0; cause + 1 < kStallCauses; ++cause) CHECK(before_tasks[cause] == 0);
}

void check_timeline(TableSource& source, const MachineConfig& machine, const Schedule& schedule,
                    const Timeline& expected) {
  TextTrace trace;
  const Stats stats = simulate(source, machine, schedule, &trace);
  trace.stalls.resize(machine.cube_cores + machine.vector_cores);
  CHECK(trace.tasks == expected.tasks);
  CHECK(trace.edges == expected.edges);
  for (size_t core = 0; core < trace.stalls.size(); ++core) CHECK(trace.stalls[core] == expected.stalls.at(core));
  CHECK(stats.makespan == expected.makespan);
  check_totals(stats);
  const Stats untraced = simulate(source, machine, schedule, nullptr);
  CHECK(untraced.makespan == stats.makespan);
  CHECK(untraced.pools[PTO_VECTOR].stalls == stats.pools[PTO_VECTOR].stalls);
  CHECK(untraced.edges == stats.edges);
}

}  // namespace

TEST_CASE("a chain with every cost") {
  MachineConfig machine = machine_with(1);
  machine.costs.submit = 2;
  machine.costs.submit_operand = 1;
  machine.costs.dispatch = 3;
  machine.costs.dispatch_latency = 1;
  machine.costs.completion_latency = 2;
  machine.costs.complete = 4;
  machine.costs.resolve = 1;
  machine.costs.pickup = 1;
  TableSource source;
  source.task({out(0, 0, 4)}, 10).task({in(0, 0, 4)}, 10);
  check_timeline(source, machine, {},
                 {"0 1 0 0 3 3 8 18 25\n"
                  "1 1 0 3 25 25 30 40 46\n",
                  "0->1 raw\n",
                  {"[0,40) drained; ",
                   "[0,3) submit_busy; [3,6) dispatch_busy; [6,8) latency; [18,25) dep_wait; [25,28) dispatch_busy; "
                   "[28,30) latency; "},
                  40});
}

TEST_CASE("a window of two") {
  MachineConfig machine = machine_with(2);
  machine.costs.submit = 1;
  Schedule schedule;
  schedule.window = 2;
  TableSource source;
  for (int i = 0; i < 4; ++i) source.task({}, 5);
  check_timeline(source, machine, schedule,
                 {"0 1 0 0 1 1 1 6 6\n"
                  "1 2 0 1 2 2 2 7 7\n"
                  "2 1 0 6 7 7 7 12 12\n"
                  "3 2 0 7 8 8 8 13 13\n",
                  "",
                  {"[0,13) drained; ", "[0,1) submit_busy; [6,7) submit_busy; [12,13) drained; ",
                   "[0,2) submit_busy; [7,8) submit_busy; "},
                  13});
}

TEST_CASE("write after read, write after write, and a covering write") {
  TableSource source;
  source.task({out(0, 0, 4)}, 2)
      .task({in(0, 1, 1)}, 2)
      .task({out(0, 0, 2)}, 2)
      .task({out(0, 0, 4)}, 2)
      .task({in(0, 0, 1)}, 2);
  const std::string drained = "[0,10) drained; ";
  check_timeline(source, machine_with(5), {},
                 {"0 1 0 0 0 0 0 2 2\n"
                  "1 1 0 0 2 2 2 4 4\n"
                  "2 1 0 0 4 4 4 6 6\n"
                  "3 1 0 0 6 6 6 8 8\n"
                  "4 1 0 0 8 8 8 10 10\n",
                  "0->1 raw\n0->2 waw\n1->2 war\n0->3 waw\n2->3 waw\n3->4 raw\n",
                  {drained, "", drained, drained, drained, drained},
                  10});
}

TEST_CASE("a sequential loop") {
  MachineConfig machine = machine_with(2);
  machine.costs.resolve = 2;
  TableSource source;
  source.begin().part().task({}, 3).task({}, 5).part().task({}, 4).task({}, 1).end();
  check_timeline(source, machine, {},
                 {"0 1 0 0 0 0 0 3 3\n"
                  "1 2 0 0 0 0 0 5 9\n"
                  "2 1 0 0 7 9 9 13 13\n"
                  "3 2 0 0 9 9 9 10 13\n",
                  "0->-1 structural\n1->-1 structural\n-1->2 structural\n2->-2 structural\n-1->3 structural\n"
                  "3->-2 structural\n",
                  {"[0,13) drained; ", "[3,7) dep_wait; [7,9) dispatch_busy; ", "[5,9) dep_wait; [10,13) drained; "},
                  13});
}

TEST_CASE("a fan-out is resolved one by one") {
  MachineConfig machine = machine_with(3);
  machine.costs.resolve = 2;
  machine.costs.complete = 1;
  TableSource source;
  source.task({out(0, 0, 4)}, 10);
  for (int i = 0; i < 3; ++i) source.task({in(0, 0, 4)}, 4);
  check_timeline(source, machine, {},
                 {"0 1 0 0 0 0 0 10 17\n"
                  "1 1 0 0 13 17 17 21 22\n"
                  "2 2 0 0 15 17 17 21 23\n"
                  "3 3 0 0 17 17 17 21 24\n",
                  "0->1 raw\n0->2 raw\n0->3 raw\n",
                  {"[0,21) drained; ", "[10,13) dep_wait; [13,17) dispatch_busy; ",
                   "[0,15) dep_wait; [15,17) dispatch_busy; ", "[0,17) dep_wait; "},
                  21});
}

TEST_CASE("range compression resolves a run of consecutive ids in one turn") {
  MachineConfig machine = machine_with(3);
  machine.costs.resolve = 2;
  machine.costs.complete = 1;
  Schedule schedule;
  schedule.range_compression = true;
  TableSource source;  // successors 1, 2 and 4: turns end at 13 and 15
  source.task({out(0, 0, 4)}, 10).task({in(0, 0, 4)}, 4).task({in(0, 0, 4)}, 4).task({}, 1).task({in(0, 0, 4)}, 4);
  TextTrace trace;
  simulate(source, machine, schedule, &trace);
  CHECK(trace.tasks ==
        "0 1 0 0 0 0 0 10 15\n"
        "1 1 0 0 13 15 15 19 20\n"
        "2 2 0 0 13 15 15 19 21\n"
        "3 2 0 0 0 0 0 1 21\n"
        "4 3 0 0 15 15 15 19 22\n");
}

TEST_CASE("stealing") {
  MachineConfig machine = machine_with(2);
  machine.schedulers = machine.schedulers_max = 2;
  machine.costs.dispatch = 1;
  machine.costs.steal = 5;
  Schedule schedule;
  schedule.ready = Ready::WorkSteal;
  schedule.dispatch = {{1, {Dispatch::Kind::Affinity, 0, 0}}};
  schedule.keys = {"home"};
  TableSource source;
  for (int i = 0; i < 4; ++i) source.task({}, 20);
  check_timeline(source, machine, schedule,
                 {"0 1 0 0 0 0 1 21 21\n"
                  "1 1 0 0 0 21 22 42 42\n"
                  "2 2 1 0 0 26 32 52 52\n"
                  "3 2 1 0 0 0 6 26 52\n",
                  "",
                  {"[0,52) drained; ", "[0,1) dispatch_busy; [21,22) dispatch_busy; [42,52) drained; ",
                   "[0,6) dispatch_busy; [26,32) dispatch_busy; "},
                  52});
}

TEST_CASE("one queue for two units") {
  MachineConfig machine = machine_with(1);
  Schedule schedule;
  schedule.pools = Pools::Single;
  TableSource source;
  source.task({}, 6, PTO_CUBE).task({}, 6, PTO_CUBE).task({}, 6);
  check_timeline(source, machine, schedule,
                 {"0 0 0 0 0 0 0 6 6\n"
                  "1 0 0 0 0 6 6 12 12\n"
                  "2 1 0 0 0 6 6 12 12\n",
                  "",
                  {"", "[0,6) no_core; "},
                  12});
  TextTrace apart;
  simulate(source, machine, {}, &apart);
  CHECK(apart.tasks ==
        "0 0 0 0 0 0 0 6 6\n"
        "1 0 0 0 0 6 6 12 12\n"
        "2 1 0 0 0 0 0 6 12\n");
}

TEST_CASE("two tasks on one core") {
  MachineConfig machine = machine_with(1);
  machine.costs.dispatch = 1;
  machine.costs.dispatch_latency = 2;
  machine.costs.completion_latency = 6;
  machine.costs.pickup = 3;
  Schedule schedule;
  TableSource source;
  source.task({}, phases(4, 6)).task({}, phases(4, 6));
  SUBCASE("two slots and no depth: loads do not overlap") {
    machine.core_slots = 2;
    check_timeline(source, machine, schedule,
                   {"0 1 0 0 0 0 6 16 22\n"
                    "1 1 0 0 0 1 19 29 35\n",
                    "",
                    {"[0,29) drained; ", "[0,1) dispatch_busy; [1,6) latency; [16,19) latency; "},
                    29});
  }
  SUBCASE("depth 2: the second load runs beside the first compute") {
    schedule.depth = 2;
    check_timeline(source, machine, schedule,
                   {"0 1 0 0 0 0 6 16 22\n"
                    "1 1 0 0 0 1 13 23 29\n",
                    "",
                    {"[0,23) drained; ", "[0,1) dispatch_busy; [1,6) latency; "},
                    23});
  }
}

TEST_CASE("shared memory") {
  MachineConfig machine = machine_with(3);
  machine.memory_bytes = machine.memory_cycles = 1;
  TableSource source;
  for (int i = 0; i < 3; ++i) source.task({}, phases(2, 10, 2, 10));
  check_timeline(source, machine, {},
                 {"0 1 0 0 0 0 0 12 12\n"
                  "1 2 0 0 0 0 0 20 20\n"
                  "2 3 0 0 0 0 0 30 30\n",
                  "",
                  {"[0,30) drained; ", "[12,30) drained; ", "[20,30) drained; ", ""},
                  30});
  TextTrace trace;
  const Stats stats = simulate(source, machine, {}, &trace);
  CHECK(trace.bound_by == "compute\nhbm\nhbm\n");
  CHECK(stats.memory_bytes == 30);
  CHECK(stats.memory_busy == 30);
}

TEST_CASE("batched dependencies") {
  MachineConfig machine = machine_with(3);
  machine.costs.submit = 3;
  machine.costs.complete = 4;
  Schedule schedule;
  schedule.batch = 2;
  TableSource source;
  for (uint32_t i = 0; i < 3; ++i) source.task({out(i, 0, 4)}, 5);
  source.task({in(0, 0, 4), in(1, 0, 4), in(2, 0, 4)}, 5);
  check_timeline(source, machine, schedule,
                 {"0 1 0 0 3 3 3 8 12\n"
                  "1 2 0 0 3 3 3 8 12\n"
                  "2 3 0 3 6 6 6 11 16\n"
                  "3 1 0 3 16 16 16 21 25\n",
                  "0->3 raw\n1->3 raw\n2->3 raw\n",
                  {"[0,21) drained; ", "[0,3) submit_busy; [8,16) dep_wait; ", "[0,3) submit_busy; [8,21) drained; ",
                   "[0,6) submit_busy; [11,21) drained; "},
                  21});
}

TEST_CASE("a threshold") {
  MachineConfig machine = machine_with(2);
  machine.costs.submit = 2;
  Schedule schedule;
  schedule.start_threshold = 3;
  TableSource source;
  for (int i = 0; i < 4; ++i) source.task({}, 4);
  check_timeline(source, machine, schedule,
                 {"0 1 0 0 2 6 6 10 10\n"
                  "1 2 0 2 4 6 6 10 10\n"
                  "2 1 0 4 6 10 10 14 14\n"
                  "3 2 0 6 8 10 10 14 14\n",
                  "",
                  {"[0,14) drained; ", "[0,2) submit_busy; [2,6) gated; ", "[0,4) submit_busy; [4,6) gated; "},
                  14});
}

TEST_CASE("reading data back") {
  MachineConfig machine = machine_with(2);
  machine.costs.completion_latency = 3;
  machine.costs.readback = 7;
  TableSource source;
  source.task({out(0, 0, 4)}, 10).read(in(0, 1, 1)).task({}, 5);
  check_timeline(source, machine, {},
                 {"0 1 0 0 0 0 0 10 13\n"
                  "1 1 0 20 20 20 20 25 28\n",
                  "",
                  {"[0,25) drained; ", "[10,20) readback; ", "[0,25) drained; "},
                  25});
}

TEST_CASE("a core that is free but has not been reported so: latency") {
  MachineConfig machine = machine_with(1);
  machine.costs.completion_latency = 1;
  machine.costs.complete = 2;
  TableSource source;
  source.task({}, 1).task({}, 1);
  check_timeline(source, machine, {},
                 {"0 1 0 0 0 0 0 1 4\n"
                  "1 1 0 0 0 4 4 5 8\n",
                  "",
                  {"[0,5) drained; ", "[1,2) latency; [2,4) dispatch_busy; "},
                  5});
}
