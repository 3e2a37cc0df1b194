// The edges of every `deps` mode, of `after` and of streams: against rule 2 taken word for word.
#include <doctest/doctest.h>

#include <map>
#include <random>
#include <set>

#include "deps/exact_tracker.h"
#include "deps/task_edges.h"
#include "pto/error.h"
#include "table_source.h"

namespace {

using namespace pto;
using pto::test::in;
using pto::test::inout;
using pto::test::out;
using pto::test::region_of;
using pto::test::Span;

struct TestTask {
  std::vector<Span> operands;
  std::vector<int64_t> after;
  int64_t key = 0;
};

// Feeds tasks to a TaskEdges in order.
class Feed {
 public:
  explicit Feed(const Schedule& schedule) : edges_(schedule, std::vector<TensorInfo>(8, TensorInfo{"x", 4, {64}})) {}

  std::map<int64_t, EdgeKind> add(const TestTask& task) {
    std::vector<pto_region> regions;
    std::vector<pto_role> roles;
    for (const Span& span : task.operands) {
      regions.push_back(region_of(span));
      roles.push_back(span.role);
    }
    const auto after_count = static_cast<uint32_t>(task.after.size());
    std::vector<Edge> found;
    edges_.add_task(next_++, {0, 0, nullptr, regions.data(), after_count, task.after.data(), &task.key, nullptr}, roles,
                    found);
    REQUIRE(std::is_sorted(found.begin(), found.end(), [](auto& a, auto& b) { return a.source < b.source; }));
    std::map<int64_t, EdgeKind> edges;
    for (const Edge& edge : found) REQUIRE(edges.emplace(edge.source, edge.kind).second);
    return edges;
  }
  std::set<int64_t> writers(const Span& span) {
    std::vector<int64_t> found;
    edges_.find_writers(region_of(span), next_, found);
    return {found.begin(), found.end()};
  }
  int64_t stream() const { return edges_.stream(); }

 private:
  TaskEdges edges_;
  int64_t next_ = 0;
};

using Edges = std::map<int64_t, EdgeKind>;

// All live accesses, one by one, in one dimension.
class Model {
 public:
  explicit Model(const Schedule& schedule) : schedule_(schedule) {}

  Edges add(const TestTask& task) {
    const int64_t id = next_++;
    Edges edges;
    if (schedule_.deps != Deps::Explicit) infer(task, edges);
    if (schedule_.deps != Deps::Inferred) {
      for (const int64_t source : task.after) note(edges, source, EdgeKind::Explicit);
      if (schedule_.streams > 0) {
        const int64_t stream = schedule_.stream_key == kNoKey ? id % schedule_.streams : task.key;
        if (last_.count(stream) > 0) note(edges, last_[stream], EdgeKind::Stream);
        last_[stream] = id;
      }
    }
    change(live_, id, task, schedule_.infer == Infer::TensorMapExact);
    change(overlapping_, id, task, false);
    if (by_id()) std::erase_if(edges, [&](const auto& edge) { return id - edge.first >= schedule_.window; });
    return edges;
  }

  std::set<int64_t> writers(const Span& span) const {
    std::set<int64_t> found;
    for (const Access& access : overlapping_) {
      const bool alive = !by_id() || next_ - access.task <= schedule_.window;
      if (access.writes && alive && share(access.span, span)) found.insert(access.task);
    }
    return found;
  }

 private:
  struct Access {
    int64_t task;
    Span span;
    bool writes;
  };

  bool by_id() const {
    return schedule_.window_unit == WindowUnit::Tasks && schedule_.window_mode != WindowMode::Benchmark;
  }
  void infer(const TestTask& task, Edges& edges) const {
    for (const Span& operand : task.operands) {
      for (const Access& access : live_) {
        const bool met =
            schedule_.infer == Infer::TensorMapExact ? equal(access.span, operand) : share(access.span, operand);
        if (!met) continue;
        if (access.writes && operand.role != PTO_OUT) note(edges, access.task, EdgeKind::Raw);
        if (access.writes && operand.role != PTO_IN) note(edges, access.task, EdgeKind::Waw);
        if (!access.writes && operand.role != PTO_IN) note(edges, access.task, EdgeKind::War);
      }
    }
  }
  static void change(std::vector<Access>& live, int64_t id, const TestTask& task, bool exact) {
    for (const Span& operand : task.operands) {
      if (operand.role == PTO_IN) continue;
      std::erase_if(live, [&](const Access& a) { return exact ? equal(a.span, operand) : inside(a.span, operand); });
    }
    for (const Span& operand : task.operands) {
      if (operand.role != PTO_OUT) live.push_back({id, operand, false});
      if (operand.role != PTO_IN) live.push_back({id, operand, true});
    }
  }
  static void note(Edges& edges, int64_t source, EdgeKind kind) {
    const auto [at, added] = edges.emplace(source, kind);
    if (!added) at->second = std::min(at->second, kind);
  }
  static int64_t end(const Span& a) { return a.offset[0] + a.extent[0]; }
  static bool share(const Span& a, const Span& b) {
    return a.tensor == b.tensor && std::max(a.offset[0], b.offset[0]) < std::min(end(a), end(b));
  }
  static bool inside(const Span& a, const Span& b) {
    return share(a, b) && a.offset[0] >= b.offset[0] && end(a) <= end(b);
  }
  static bool equal(const Span& a, const Span& b) {
    return share(a, b) && a.offset[0] == b.offset[0] && end(a) == end(b);
  }

  Schedule schedule_;
  int64_t next_ = 0;
  std::vector<Access> live_, overlapping_;
  std::map<int64_t, int64_t> last_;
};

Schedule random_schedule(std::mt19937& random) {
  Schedule schedule;
  schedule.deps = static_cast<Deps>(random() % 3);
  schedule.infer = static_cast<Infer>(random() % 2);
  schedule.window = random() % 2 == 0 ? 1000 : 1 + static_cast<int64_t>(random() % 12);
  schedule.window_unit = static_cast<WindowUnit>(random() % 3);
  schedule.window_mode = static_cast<WindowMode>(random() % 3);
  schedule.streams = static_cast<int64_t>(random() % 4);
  if (schedule.streams > 0 && random() % 2 == 0) schedule.stream_key = 0;
  return schedule;
}

TestTask random_task(std::mt19937& random, int64_t id, const Schedule& schedule, bool tiles) {
  TestTask task;
  for (uint32_t i = random() % 4; i > 0; --i) {
    const auto first = static_cast<int64_t>(random() % 6) * 8;
    const int64_t count = tiles ? 8 : static_cast<int64_t>(random() % 4) * 4;  // 0, 4, 8 or 12
    task.operands.push_back(
        {static_cast<uint32_t>(random() % 2), {first}, {count}, static_cast<pto_role>(random() % 3)});
  }
  if (schedule.deps != Deps::Inferred && id > 0) {
    for (uint32_t i = random() % 3; i > 0; --i) task.after.push_back(static_cast<int64_t>(random() % uint64_t(id)));
  }
  if (schedule.streams > 0) task.key = static_cast<int64_t>(random() % uint64_t(schedule.streams));
  return task;
}

Schedule with(Deps deps, Infer infer = Infer::BytesOverlap) {
  Schedule schedule;
  schedule.deps = deps;
  schedule.infer = infer;
  return schedule;
}

}  // namespace

TEST_CASE("edges of every mode, stream and window equal those of a model that looks at every access") {
  for (uint32_t seed = 0; seed < 400; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    const Schedule schedule = random_schedule(random);
    Feed feed(schedule);
    Model model(schedule);
    const int64_t tiles = seed % 2 == 0 ? 60 : 0;  // so many tasks access tiles alone
    for (int64_t id = 0; id < 80; ++id) {
      CAPTURE(id);
      const TestTask task = random_task(random, id, schedule, id < tiles);
      REQUIRE(feed.add(task) == model.add(task));
      const Span read = in(0, static_cast<int64_t>(random() % 40), static_cast<int64_t>(random() % 9));
      REQUIRE(feed.writers(read) == model.writers(read));
    }
  }
}

TEST_CASE("exact matching meets equal regions alone; a read of data sees every writer") {
  Feed feed(with(Deps::Hybrid, Infer::TensorMapExact));
  feed.add({{out(0, 0, 8)}, {}});
  CHECK(feed.add({{in(0, 0, 4)}, {}}).empty());
  CHECK(feed.add({{in(0, 0, 8)}, {}}) == Edges{{0, EdgeKind::Raw}});
  CHECK(feed.add({{inout(0, 0, 8)}, {}}) == Edges{{0, EdgeKind::Raw}, {2, EdgeKind::War}});
  CHECK(feed.writers(in(0, 3, 1)) == std::set<int64_t>{3});
}

TEST_CASE("one edge per pair of tasks, of the first kind that holds") {
  Schedule schedule = with(Deps::Hybrid);
  schedule.streams = 2;
  Feed feed(schedule);
  feed.add({{out(0, 0, 8)}, {}});
  CHECK(feed.stream() == 0);
  CHECK(feed.add({{in(1, 0, 8)}, {0}}) == Edges{{0, EdgeKind::Explicit}});
  CHECK(feed.stream() == 1);
  CHECK(feed.add({{in(0, 0, 8)}, {0, 1, 1}}) == Edges{{0, EdgeKind::Raw}, {1, EdgeKind::Explicit}});
  CHECK(feed.add({{in(2, 0, 8)}, {}}) == Edges{{1, EdgeKind::Stream}});
}

TEST_CASE("a window implies old sources of every kind, unless it counts something else than tasks") {
  Schedule schedule = with(Deps::Explicit);
  schedule.window = 2;
  schedule.streams = 2;
  const auto last_edges = [](const Schedule& s) {
    Feed feed(s);
    feed.add({});
    feed.add({});
    return feed.add({{}, {0, 1}});
  };
  CHECK(last_edges(schedule) == Edges{{1, EdgeKind::Explicit}});
  schedule.window_mode = WindowMode::Benchmark;
  CHECK(last_edges(schedule) == Edges{{0, EdgeKind::Explicit}, {1, EdgeKind::Explicit}});
  schedule.window_mode = WindowMode::Stall;
  schedule.window_unit = WindowUnit::Entries;
  CHECK(last_edges(schedule) == Edges{{0, EdgeKind::Explicit}, {1, EdgeKind::Explicit}});
}

TEST_CASE("inferred takes no `after`, and its streams are lanes without edges") {
  Schedule schedule = with(Deps::Inferred);
  schedule.streams = 1;
  Feed feed(schedule);
  feed.add({});
  CHECK(feed.add({}).empty());
  CHECK(feed.stream() == 0);
  CHECK_THROWS_WITH_AS(feed.add({{}, {0}}), doctest::Contains("task 2 names tasks to wait for"), ScheduleError);
}

TEST_CASE("a stream out of range and an `after` that is no earlier task are refused by name") {
  Schedule schedule = with(Deps::Hybrid);
  schedule.streams = 3;
  schedule.stream_key = 0;
  Feed feed(schedule);
  CHECK_THROWS_WITH_AS(feed.add({{}, {}, 3}), doctest::Contains("task 0: stream_by gave stream 3, expected 0 to 2"),
                       ExecutionError);
  CHECK_THROWS_WITH_AS(feed.add({{}, {1}, 0}), doctest::Contains("task 1 waits for task 1"), ExecutionError);
}

TEST_CASE("thousands of regular readers of one region are one run") {
  IdRuns runs;
  for (int64_t id = 5; id < 50'000; id += 7) runs.add(id, 0);
  CHECK(runs.runs() == 1);
  runs.add(50'001, 0);
  std::vector<int64_t> newest;
  runs.visit_from(49'980, [&](int64_t id) { newest.push_back(id); });
  CHECK(newest == std::vector<int64_t>{50'001, 49'999, 49'992, 49'985});
}

TEST_CASE("exact matching forgets what left the window") {
  const std::vector<TensorInfo> tensors = {{"x", 4, {1'000'000}}};
  ExactTracker tracker(tensors, 16);
  std::vector<Edge> edges;
  const pto_role role = PTO_OUT;
  for (int64_t id = 0; id < 2000; ++id) {
    const pto_region region = region_of(out(0, id * 4, 4));
    tracker.add_task(id, {&region, 1}, {&role, 1}, edges);
    REQUIRE(tracker.live_boxes() <= 2 * 16);
  }
}
