// The race check against every pair of accesses and the closure of every edge, on random programs.
#include <doctest/doctest.h>

#include <map>
#include <random>
#include <set>
#include <variant>

#include "pto/check.h"
#include "table_source.h"
#include "trace_columns.h"

namespace {

using namespace pto;
using namespace pto::test;

struct Launch {
  std::vector<Span> operands;
  std::vector<int64_t> after;
};
enum class Mark { Begin, Part, End };
using Line = std::variant<Launch, Span, Mark>;  // a span: the orchestrator reads it

class Program {
 public:
  Program& task(std::vector<Span> operands, std::vector<int64_t> after = {}) {
    KernelInfo kernel{"k" + std::to_string(kernels.size()), PTO_VECTOR, {}, {}};
    for (const Span& span : operands) kernel.roles.push_back(span.role);
    kernels.push_back(std::move(kernel));
    lines.emplace_back(Launch{std::move(operands), std::move(after)});
    return *this;
  }
  Program& line(Line line) {
    lines.push_back(std::move(line));
    return *this;
  }

  void run(TaskSink& sink) const {
    uint32_t kernel = 0;
    for (const Line& line : lines) {
      if (const auto* launch = std::get_if<Launch>(&line)) {
        std::vector<pto_region> regions;
        for (const Span& span : launch->operands) regions.push_back(region_of(span));
        sink.submit({kernel++, 0, nullptr, regions.data(), static_cast<uint32_t>(launch->after.size()),
                     launch->after.data(), nullptr, nullptr});
      } else if (const auto* span = std::get_if<Span>(&line)) {
        sink.read(region_of(*span));
      } else {
        const Mark mark = std::get<Mark>(line);
        mark == Mark::Begin ? sink.scope_begin() : mark == Mark::Part ? sink.part() : sink.scope_end();
      }
    }
  }

  std::vector<KernelInfo> kernels;
  std::vector<Line> lines;
  std::vector<TensorInfo> tensors = std::vector<TensorInfo>(3, TensorInfo{"x", 4, {32}});
};

CheckReport check(const Program& program, const Schedule& schedule) {
  const std::atomic<bool> stop{false};
  RaceCheck check(schedule, program.kernels, program.tensors, {}, stop);
  program.run(check);
  return check.finish();
}

bool share(const Span& a, const Span& b) {
  return a.tensor == b.tensor &&
         std::max(a.offset[0], b.offset[0]) < std::min(a.offset[0] + a.extent[0], b.offset[0] + b.extent[0]);
}
bool inside(const Span& a, const Span& b) {
  return a.tensor == b.tensor && a.offset[0] >= b.offset[0] && a.offset[0] + a.extent[0] <= b.offset[0] + b.extent[0];
}

// Which tasks come before which, from the edges that a simulation lists and the reads that wait.
class Closure {
 public:
  Closure(const Program& program, Schedule schedule) {
    const std::atomic<bool> stop{false};
    const MachineConfig machine = machine_with(2);
    ColumnsTrace rows(machine);
    Simulation simulation(machine, schedule, program.kernels, program.tensors, &rows, stop);
    program.run(simulation);
    simulation.finish();
    for (size_t i = 0; i < rows.trace.edges.src.size(); ++i) {
      edges_[rows.trace.edges.dst[i]].insert(rows.trace.edges.src[i]);
      listed_.push_back({rows.trace.edges.src[i], rows.trace.edges.dst[i], rows.trace.edges.kind[i]});
    }
    add_reads(program);
  }

  bool ordered(int64_t earlier, int64_t later) { return ancestors(later).contains(earlier); }

  int64_t needless(int64_t window) {
    int64_t count = 0;
    for (const auto& [source, task, kind] : listed_) {
      if (kind > static_cast<uint8_t>(EdgeKind::War) || task - source >= window) continue;
      bool implied = false;
      for (const int64_t other : edges_[task]) implied = implied || ancestors(other).contains(source);
      count += implied;
    }
    return count;
  }

 private:
  struct Listed {
    int64_t source, task;
    uint8_t kind;
  };
  // Writes live until one contains them; a read waits for those that it meets, and all tasks behind it for the read.
  void add_reads(const Program& program) {
    std::vector<std::pair<int64_t, Span>> live;
    int64_t id = 0, node = 1'000'000, last = 0;
    for (const Line& line : program.lines) {
      if (const auto* span = std::get_if<Span>(&line)) {
        std::set<int64_t> writers;
        for (const auto& [writer, written] : live) {
          if (share(written, *span)) writers.insert(writer);
        }
        if (writers.empty()) continue;
        if (last != 0) writers.insert(last);
        edges_[last = node++] = writers;
      } else if (const auto* launch = std::get_if<Launch>(&line)) {
        if (last != 0) edges_[id].insert(last);
        for (const Span& operand : launch->operands) {
          if (operand.role == PTO_IN) continue;
          std::erase_if(live, [&](const auto& write) { return inside(write.second, operand); });
        }
        for (const Span& operand : launch->operands) {
          if (operand.role != PTO_IN) live.emplace_back(id, operand);
        }
        ++id;
      }
    }
  }
  const std::set<int64_t>& ancestors(int64_t node) {
    const auto [at, is_new] = ancestors_.try_emplace(node);
    if (!is_new) return at->second;
    std::set<int64_t> all;
    for (const int64_t source : edges_[node]) {
      all.insert(source);
      const std::set<int64_t> more = ancestors(source);
      all.insert(more.begin(), more.end());
    }
    return ancestors_[node] = std::move(all);
  }

  std::map<int64_t, std::set<int64_t>> edges_, ancestors_;
  std::vector<Listed> listed_;
};

bool conflict(const Launch& a, const Launch& b) {
  for (const Span& x : a.operands) {
    for (const Span& y : b.operands) {
      if ((x.role != PTO_IN || y.role != PTO_IN) && share(x, y)) return true;
    }
  }
  return false;
}

int64_t unordered_pairs(const Program& program, Closure& closure) {
  std::vector<const Launch*> tasks;
  for (const Line& line : program.lines) {
    if (const auto* launch = std::get_if<Launch>(&line)) tasks.push_back(launch);
  }
  int64_t count = 0;
  for (size_t later = 0; later < tasks.size(); ++later) {
    for (size_t earlier = 0; earlier < later; ++earlier) {
      count += conflict(*tasks[earlier], *tasks[later]) &&
               !closure.ordered(static_cast<int64_t>(earlier), static_cast<int64_t>(later));
    }
  }
  return count;
}

Program random_program(std::mt19937_64& random, bool with_after) {
  const auto pick = [&random](int count) { return static_cast<int>(random() % static_cast<uint64_t>(count)); };
  Program program;
  int open = 0;
  for (int i = 0, count = 1 + pick(30); i < count; ++i) {
    if (pick(6) == 0 && open < 3) program.line(Mark::Begin), ++open;
    if (pick(3) == 0 && open > 0) program.line(Mark::Part);
    if (pick(9) == 0 && open > 0) program.line(Mark::End), --open;
    if (pick(9) == 0) program.line(in(static_cast<uint32_t>(pick(3)), pick(16), 1 + pick(16)));
    std::vector<Span> operands;
    for (int n = 1 + pick(3); n > 0; --n) {
      const int width = 4 << pick(2);
      const int first = pick(3) == 0 ? pick(16) : pick(16 / width) * width;
      operands.push_back({static_cast<uint32_t>(pick(3)), {first}, {width}, static_cast<pto_role>(pick(3))});
    }
    std::vector<int64_t> after;
    while (with_after && i > 0 && pick(2) == 0) after.push_back(i - 1 - pick(std::min(i, 4)));
    program.task(operands, after);
  }
  while (open-- > 0) program.line(Mark::End);
  return program;
}

Schedule inferred() {
  Schedule schedule;
  return schedule;
}

Schedule explicit_order() {
  Schedule schedule = inferred();
  schedule.deps = Deps::Explicit;
  return schedule;
}

Schedule exact() {
  Schedule schedule = inferred();
  schedule.infer = Infer::TensorMapExact;
  return schedule;
}

}  // namespace

TEST_CASE("explicit order without the handle that it needs is a race") {
  Program program;
  program.task({out(0, 0, 8)}).task({inout(0, 4, 8)}, {0}).task({in(0, 0, 4)}).task({in(1, 0, 4)}, {0});
  const CheckReport report = check(program, explicit_order());
  REQUIRE(report.races.size() == 1);
  CHECK(report.pairs == 2);
  CHECK(report.races[0].kind == EdgeKind::Raw);
  CHECK(report.races[0].earlier.task == 0);
  CHECK(report.races[0].later.task == 2);
  CHECK(report.races[0].later.region.extent[0] == 4);
  CHECK(check(program, inferred()).races.empty());

  Program whole;
  whole.task({out(0, 0, 8)}).task({inout(0, 4, 8)}, {0}).task({in(0, 0, 8)}, {1});
  CHECK_MESSAGE(check(whole, explicit_order()).races.empty(), "task 2 comes after task 0 by way of task 1");
}

TEST_CASE("exact matching with shifted regions is a race, and a partial overlap") {
  Program program;
  program.task({out(0, 0, 8)}).task({in(0, 1, 8)}).task({in(0, 2, 8)});
  const CheckReport report = check(program, exact());
  CHECK(report.races.size() == 2);
  CHECK(report.partial_overlaps.size() == 2);

  Program ordered;
  ordered.line(Mark::Begin).task({out(0, 0, 8)}).line(Mark::Part).task({in(0, 1, 8)}).line(Mark::End);
  CHECK_MESSAGE(check(ordered, exact()).races.empty(), "the parts order them");
  CHECK(check(ordered, exact()).partial_overlaps.size() == 1);
}

TEST_CASE("streams order, and the window does not") {
  Program program;
  program.task({out(0, 0, 8)}).task({out(1, 0, 8)}).task({in(0, 0, 8)});
  Schedule schedule = explicit_order();
  schedule.window = 1;
  CHECK(check(program, schedule).races.size() == 1);
  schedule.streams = 2;
  CHECK(check(program, schedule).races.empty());
}

TEST_CASE("an edge that others imply is needless") {
  Program program;
  program.task({out(0, 0, 8)}).task({inout(0, 0, 4)}).task({in(0, 0, 8)});
  const CheckReport report = check(program, inferred());
  REQUIRE(report.needless.size() == 1);
  CHECK(report.needless[0].earlier.task == 0);
  CHECK(report.needless[0].later.task == 2);
  CHECK(report.edges == 3);
}

TEST_CASE("random programs: races exactly where a pair is not ordered, none where inference is sound") {
  int64_t with_races = 0;
  for (uint64_t seed = 0; seed < 600; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    const bool sound = seed % 3 == 0;
    Schedule schedule = sound ? inferred() : seed % 3 == 1 ? explicit_order() : exact();
    schedule.streams = static_cast<int64_t>(random() % 4);
    schedule.window = sound ? 8192 : 1 + static_cast<int64_t>(random() % 12);
    const Program program = random_program(random, true);
    Schedule endless = schedule;
    endless.window_mode = WindowMode::Benchmark;
    Closure closure(program, endless);
    const CheckReport report = check(program, schedule);
    const int64_t unordered = unordered_pairs(program, closure);
    CHECK(report.races.empty() == (unordered == 0));
    if (sound) CHECK(report.races.empty());
    with_races += !report.races.empty();
    int64_t needless = 0;
    for (const Finding& finding : report.needless) needless += finding.count;
    CHECK(needless == closure.needless(schedule.window));
  }
  CHECK(with_races > 50);
}
