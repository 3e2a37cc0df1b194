// Both critical paths, slack and the series over time: on timelines worked out by hand, and on random programs against
// what they promise.
#include <doctest/doctest.h>

#include <map>
#include <numeric>
#include <random>

#include "pto/analysis.h"
#include "pto/error.h"
#include "table_source.h"
#include "trace_columns.h"

namespace {

using namespace pto;
using namespace pto::test;

struct Traced {
  Trace trace;
  Stats stats;
};

Traced run(TableSource& source, const MachineConfig& machine, const Schedule& schedule = {}) {
  ColumnsTrace rows(machine);
  Stats stats = simulate(source, machine, schedule, &rows);
  return {std::move(rows.trace), std::move(stats)};
}

std::string text(const std::vector<PathPiece>& path) {
  std::string text;
  for (const PathPiece& piece : path) {
    text += "[" + std::to_string(piece.begin) + "," + std::to_string(piece.end) + ") " +
            (piece.cause ? stall_name(*piece.cause) : "compute") + " " + std::to_string(piece.task) + "; ";
  }
  return text;
}

// The one with costs in docs/execution-model.md.
MachineConfig worked_machine() {
  MachineConfig machine = machine_with(2);
  machine.core_slots = 2;
  machine.costs.submit = 2;
  machine.costs.submit_operand = 1;
  machine.costs.dispatch = 3;
  machine.costs.dispatch_latency = 1;
  machine.costs.pickup = 1;
  machine.costs.completion_latency = 2;
  machine.costs.complete = 4;
  machine.costs.resolve = 1;
  return machine;
}

class RandomProgram {
 public:
  explicit RandomProgram(uint64_t seed) : random_(seed) {}

  int pick(int count) { return static_cast<int>(random_() % static_cast<uint64_t>(count)); }

  TableSource tasks() {
    TableSource source;
    const int count = 1 + pick(40);
    int open = 0;
    for (int i = 0; i < count; ++i) {
      if (pick(8) == 0 && open < 3) source.begin(), ++open;
      if (pick(3) == 0 && open > 0) source.part();
      if (pick(10) == 0 && open > 0) source.end(), --open;
      if (pick(6) == 0) source.read(in(static_cast<uint32_t>(pick(3)), pick(32), 1 + pick(32)));
      add_task(source);
    }
    while (open-- > 0) source.end();
    return source;
  }
  MachineConfig machine() {
    MachineConfig machine = machine_with(1 + pick(4));
    machine.cube_cores = 1 + pick(2);
    machine.schedulers = 1 + pick(3);
    machine.schedulers_max = 3;
    machine.core_slots = 1 + pick(3);
    machine.memory_bytes = pick(2) * 8;
    machine.memory_cycles = 1 + pick(3);
    RuntimeCosts& c = machine.costs;
    for (int64_t* cost : {&c.submit, &c.submit_operand, &c.readback, &c.dispatch, &c.dispatch_latency,
                          &c.completion_latency, &c.complete, &c.resolve, &c.steal, &c.pickup}) {
      *cost = pick(2) * pick(7);
    }
    return machine;
  }
  Schedule schedule() {
    Schedule schedule;
    schedule.window = 1 + pick(12);
    schedule.pools = pick(2) ? Pools::Single : Pools::ByExecUnit;
    schedule.ready = pick(2) ? Ready::WorkSteal : Ready::Fifo;
    if (pick(2)) schedule.dispatch = {{1, {Dispatch::Kind::RoundRobin}}};
    schedule.start_threshold = 1 + pick(3);
    schedule.batch = 1 + pick(3);
    schedule.range_compression = pick(2) != 0;
    schedule.depth = pick(3);
    schedule.depth_scope = schedule.depth > 0 && pick(2) ? DepthScope::PerPool : DepthScope::Core;
    schedule.streams = pick(2) * (1 + pick(3));
    if (pick(4) == 0) schedule.deps = Deps::Explicit;
    return schedule;
  }

 private:
  void add_task(TableSource& source) {
    std::vector<Span> operands;
    for (int i = 1 + pick(3); i > 0; --i) {
      const int first = pick(40);
      operands.push_back({static_cast<uint32_t>(pick(3)), {first}, {1 + pick(24)}, static_cast<pto_role>(pick(3))});
    }
    KernelCost cost{pick(2) * pick(9), pick(9), pick(3)};
    cost.load_bytes = pick(30);
    cost.bytes = cost.load_bytes + pick(30);
    source.task(operands, cost, pick(3) == 0 ? PTO_CUBE : PTO_VECTOR);
  }
  std::mt19937_64 random_;
};

// All that was moved, never more than HBM can.
void check_transfers(const Traced& run) {
  for (const int64_t bins : {1, 7, 1000}) {
    const Transfers moved = hbm_transfers(run.trace, bins);
    CHECK(std::accumulate(moved.bytes.begin(), moved.bytes.end(), int64_t{0}) == run.stats.memory_bytes);
    CHECK(moved.edges.back() == run.stats.makespan);
    const auto& header = run.trace.header;
    if (header.memory_bytes == 0) continue;
    for (size_t i = 0; i < moved.bytes.size(); ++i) {
      const int64_t cycles = moved.edges[i + 1] - moved.edges[i];
      // A booking moves whole bytes at its own pace: at most one too early.
      CHECK(moved.bytes[i] * header.memory_cycles <= (cycles + header.memory_cycles) * header.memory_bytes);
    }
  }
}

void check_observed(const Traced& run) {
  const std::vector<PathPiece> path = observed_path(run.trace);
  REQUIRE(!path.empty());
  CHECK(path.front().begin == 0);
  CHECK(path.back().end == run.stats.makespan);
  const TaskColumns& tasks = run.trace.tasks;
  for (size_t i = 0; i < path.size(); ++i) {
    CHECK(path[i].begin < path[i].end);
    if (i > 0) CHECK(path[i].begin == path[i - 1].end);
    const auto task = static_cast<size_t>(path[i].task);
    if (path[i].cause) continue;
    CHECK(path[i].end == tasks.end[task]);
    CHECK(path[i].begin >= tasks.start[task]);
  }
}

// The longest path by relaxing every edge until nothing changes.
int64_t relaxed_length(const Trace& trace, const std::vector<int64_t>& duration) {
  std::map<int64_t, int64_t> begin;
  const auto end = [&](int64_t node) { return begin[node] + (node < 0 ? 0 : duration[static_cast<size_t>(node)]); };
  for (bool changed = true; changed;) {
    changed = false;
    for (size_t e = 0; e < trace.edges.src.size(); ++e) {
      const int64_t earliest = end(trace.edges.src[e]);
      if (earliest <= begin[trace.edges.dst[e]]) continue;
      begin[trace.edges.dst[e]] = earliest;
      changed = true;
    }
  }
  int64_t length = 0;
  for (size_t task = 0; task < duration.size(); ++task) length = std::max(length, end(static_cast<int64_t>(task)));
  return length;
}

void check_longest(const Traced& run) {
  const LongestPath path = longest_path(run.trace);
  std::vector<int64_t> duration = run.trace.tasks.duration;
  CHECK(path.length == relaxed_length(run.trace, duration));
  CHECK(path.length <= run.stats.makespan);
  int64_t sum = 0;
  for (size_t i = 0; i < path.tasks.size(); ++i) {
    const auto task = static_cast<size_t>(path.tasks[i]);
    CHECK(path.begin[i] == sum);
    CHECK(path.slack[task] == 0);
    sum += duration[task];
  }
  CHECK(sum == path.length);
  for (size_t task = 0; task < duration.size(); ++task) {
    CHECK(run.trace.tasks.end[task] - run.trace.tasks.start[task] >= duration[task]);
    duration[task] += path.slack[task];
    CHECK(relaxed_length(run.trace, duration) == path.length);
    ++duration[task];
    CHECK(relaxed_length(run.trace, duration) == path.length + 1);
    duration[task] -= path.slack[task] + 1;
  }
}

int64_t count_at(const std::vector<int64_t>& from, const std::vector<int64_t>& until, int64_t cycle) {
  int64_t count = 0;
  for (size_t i = 0; i < from.size(); ++i) count += from[i] <= cycle && cycle < until[i];
  return count;
}

void check_series(const StepSeries& series, const std::vector<int64_t>& from, const std::vector<int64_t>& until) {
  for (size_t i = 0; i < series.time.size(); ++i) {
    CHECK(series.value[i] == count_at(from, until, series.time[i]));
    CHECK(series.value[i] != (i == 0 ? 0 : series.value[i - 1]));
    if (i > 0) CHECK(count_at(from, until, series.time[i] - 1) == series.value[i - 1]);
  }
  CHECK((series.value.empty() || series.value.back() == 0));
}

}  // namespace

TEST_CASE("the observed path of the worked timeline") {
  TableSource source;
  source.task({out(0, 0, 8)}, 10).task({out(1, 0, 8)}, 10).task({in(0, 0, 8), in(1, 0, 8), out(2, 0, 8)}, 5);
  const Traced traced = run(source, worked_machine());
  // Task 2 begins when task 1's report is served; task 1 was dispatched as soon as it was published.
  CHECK(text(observed_path(traced.trace)) ==
        "[0,6) submit_busy 1; [6,9) dispatch_busy 1; [9,11) latency 1; [11,21) compute 1; [21,30) dep_wait 2; "
        "[30,33) dispatch_busy 2; [33,35) latency 2; [35,40) compute 2; ");
  const LongestPath longest = longest_path(traced.trace);
  CHECK(longest.length == 15);
  CHECK(longest.tasks == std::vector<int64_t>{0, 2});
  CHECK(longest.slack == std::vector<int64_t>{0, 0, 0});
  const StepSeries live = live_tasks(traced.trace);
  CHECK(live.time == std::vector<int64_t>{0, 3, 6, 25, 30, 46});
  CHECK(live.value == std::vector<int64_t>{1, 2, 3, 2, 1, 0});
  CHECK(live.high_water == 3);
}

TEST_CASE("the observed path goes on at the task that the orchestrator waited for") {
  Schedule schedule;
  schedule.window = 1;
  TableSource source;
  source.task({out(0, 0, 8)}, 10).task({out(1, 0, 8)}, 7);
  MachineConfig machine = machine_with(2);
  machine.costs.completion_latency = 3;
  CHECK(text(observed_path(run(source, machine, schedule).trace)) ==
        "[0,10) compute 0; [10,13) window_full 1; [13,20) compute 1; ");

  TableSource reads;
  reads.task({out(0, 0, 8)}, 10).task({out(1, 0, 8)}, 2).read(in(0, 0, 4)).task({out(2, 0, 8)}, 7);
  machine.costs.readback = 5;
  CHECK(text(observed_path(run(reads, machine).trace)) == "[0,10) compute 0; [10,18) readback 2; [18,25) compute 2; ");
}

TEST_CASE("the observed path goes on at the task before on the core, and through joins") {
  TableSource same_core;
  same_core.task({out(0, 0, 8)}, 10).task({out(1, 0, 8)}, 7);
  CHECK(text(observed_path(run(same_core, machine_with(1)).trace)) == "[0,10) compute 0; [10,17) compute 1; ");

  TableSource joined;
  joined.begin().task({out(0, 0, 8)}, 4).task({out(1, 0, 8)}, 9).part().task({out(2, 0, 8)}, 5).end();
  const Traced traced = run(joined, machine_with(3));
  CHECK(text(observed_path(traced.trace)) == "[0,9) compute 1; [9,14) compute 2; ");
  CHECK(longest_path(traced.trace).slack == std::vector<int64_t>{5, 0, 0});
}

TEST_CASE("a run without tasks has no path") {
  TableSource none;
  const Traced traced = run(none, machine_with(1));
  CHECK(observed_path(traced.trace).empty());
  CHECK(longest_path(traced.trace).length == 0);
  CHECK(live_tasks(traced.trace).high_water == 0);
}

TEST_CASE("what HBM moved, by time") {
  MachineConfig machine = machine_with(2);
  machine.memory_bytes = 1;
  machine.memory_cycles = 1;
  TableSource source;
  // The second task's 10 bytes are booked behind the first one's 20.
  KernelCost cost{0, 5, 0};
  cost.bytes = 20;
  source.task({out(0, 0, 8)}, cost);
  cost.bytes = 10;
  source.task({out(1, 0, 8)}, cost);
  const Traced traced = run(source, machine);
  const Transfers moved = hbm_transfers(traced.trace, 4);
  CHECK(moved.edges == std::vector<int64_t>{0, 8, 16, 23, 30});
  CHECK(moved.bytes == std::vector<int64_t>{8, 8, 7, 7});
  CHECK(hbm_transfers(traced.trace, 1000).bytes == std::vector<int64_t>(30, 1));
}

TEST_CASE("paths, slack and series of random programs") {
  for (uint64_t seed = 0; seed < 400; ++seed) {
    CAPTURE(seed);
    RandomProgram random(seed);
    TableSource source = random.tasks();
    const Schedule schedule = random.schedule();
    const Traced traced = run(source, random.machine(), schedule);
    const TaskColumns& tasks = traced.trace.tasks;
    check_observed(traced);
    check_longest(traced);
    check_series(live_tasks(traced.trace), tasks.submit, tasks.retire);
    check_series(ready_tasks(traced.trace), tasks.ready, tasks.dispatch);
    CHECK(live_tasks(traced.trace).high_water == traced.stats.window_high_water);
    CHECK(ready_tasks(traced.trace).high_water == traced.stats.ready_high_water);
    check_transfers(traced);
  }
}

TEST_CASE("rows that contradict each other are refused") {
  TableSource source;
  source.task({out(0, 0, 8)}, 10).task({in(0, 0, 8)}, 7);
  const Trace good = run(source, machine_with(1)).trace;
  const auto refused = [&good](auto damage) {
    Trace bad = good;
    damage(bad);
    CHECK_THROWS_AS((observed_path(bad), longest_path(bad)), LoadError);
  };
  refused([](Trace& t) { t.edges.src[0] = 7; });
  refused([](Trace& t) { t.edges.src[0] = INT64_MIN; });
  refused([](Trace& t) { t.edges.src[0] = 1; });
  refused([](Trace& t) { t.tasks.core[0] = 99; });
  refused([](Trace& t) { t.tasks.start[1] = 18; });
  refused([](Trace& t) { t.tasks.submit[0] = t.tasks.published[0] = t.tasks.ready[0] = 1; });
  refused([](Trace& t) { t.stalls.core[0] = -1; });
}
