// Every setting reaches the schedule, and every bad one is refused by name.
#include <doctest/doctest.h>

#include <string>

#include "pto/error.h"
#include "pto/settings.h"

namespace {

pto::Settings from_json(const char* json) {
  pto::Settings settings;
  settings.apply_json(json);
  return settings;
}

std::string refusal(const char* assignment) {
  try {
    pto::Settings settings;
    settings.apply_text(assignment);
  } catch (const pto::ScheduleError& error) {
    return error.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("settings of a basic schedule") {
  const pto::Schedule s = from_json(R"json({
    "deps": "hybrid", "infer": "infer_bytes_overlap", "window": 16384, "window_unit": "tasks", "window_mode": "stall",
    "pools": "by_exec_unit", "ready": "work_steal", "dispatch": "work_steal", "start": "threshold(100)",
    "trace": "cycles"})json")
                              .schedule;
  CHECK(s.window == 16384);
  CHECK(s.ready == pto::Ready::WorkSteal);
  CHECK(s.dispatch.size() == 1);
  CHECK(s.dispatch[0].policy == pto::Dispatch{pto::Dispatch::Kind::WorkSteal, 0});
  CHECK(s.start_threshold == 100);
}

TEST_CASE("settings of an advanced schedule") {
  const pto::Schedule s = from_json(R"json({
    "deps": "inferred", "pools": "single", "batch": 128, "range_compression": true, "depth": 3,
    "depth_scope": "per_pool", "dispatch_threshold": "1024=round_robin(4),256=round_robin(1),4096=work_steal",
    "dispatch": "shared"})json")
                              .schedule;
  CHECK(s.deps == pto::Deps::Inferred);
  CHECK(s.pools == pto::Pools::Single);
  CHECK(s.batch == 128);
  CHECK(s.range_compression);
  CHECK(s.depth == 3);
  CHECK(s.depth_scope == pto::DepthScope::PerPool);
  REQUIRE(s.dispatch.size() == 3);
  CHECK(s.dispatch[0].threshold == 256);
  CHECK(s.dispatch[1].policy == pto::Dispatch{pto::Dispatch::Kind::RoundRobin, 4});
  CHECK(s.dispatch[2].policy == pto::Dispatch{pto::Dispatch::Kind::WorkSteal, 0});
}

TEST_CASE("a later setting replaces an earlier one, whichever way dispatch is said") {
  pto::Settings settings = from_json(R"json({"dispatch_threshold": "4=shared,8=work_steal", "window": 4})json");
  settings.apply_text(" dispatch = round_robin(0) ");
  settings.apply_text("window=8");
  CHECK(settings.schedule.dispatch.size() == 1);
  CHECK(settings.schedule.dispatch[0].policy == pto::Dispatch{pto::Dispatch::Kind::RoundRobin, 0});
  CHECK(settings.schedule.window == 8);
}

TEST_CASE("policies that need a key function name it once") {
  const pto::Schedule s = from_json(R"json({
    "dispatch": "affinity(head)", "ready": "priority(depth)", "stream_by": "head", "streams": 4, "trace": "cycles(cost)",
    "pools": "custom(part,experts=16/0,rest=8/48)"})json")
                              .schedule;
  CHECK(s.keys == std::vector<std::string>{"head", "part", "depth", "cost"});
  CHECK(s.dispatch[0].policy == pto::Dispatch{pto::Dispatch::Kind::Affinity, 0, 0});
  CHECK(s.pool_key == 1);
  CHECK(s.custom_pools == std::vector<pto::CustomPool>{{"experts", 16, 0}, {"rest", 8, 48}});
  CHECK(s.ready == pto::Ready::Priority);
  CHECK(s.priority_key == 2);
  CHECK(s.streams == 4);
  CHECK(s.stream_key == 0);
  CHECK(s.cost_key == 3);
}

TEST_CASE("words without a key function") {
  const pto::Schedule s = from_json(R"json({
    "deps": "explicit", "infer": "infer_tensor_map_exact", "window_unit": "bytes", "window_mode": "benchmark",
    "start": "after_orchestration", "timing": "rate_limit(200)", "depth": 2, "depth_scope": "global", "trace": "none",
    "streams": 2, "stream_by": "id"})json")
                              .schedule;
  CHECK(s.deps == pto::Deps::Explicit);
  CHECK(s.infer == pto::Infer::TensorMapExact);
  CHECK(s.window_unit == pto::WindowUnit::Bytes);
  CHECK(s.window_mode == pto::WindowMode::Benchmark);
  CHECK(s.start == pto::Start::AfterOrchestration);
  CHECK(s.timing == pto::Timing::RateLimit);
  CHECK(s.timing_number == 200);
  CHECK(s.depth_scope == pto::DepthScope::Global);
  CHECK(!s.records_rows);
  CHECK(s.stream_key == pto::kNoKey);
}

TEST_CASE("other keys are the machine's, in order") {
  pto::Settings settings = from_json(R"json({"cores.cube": 48, "costs.dispatch": 0})json");
  settings.apply_text("clock=2e9");
  REQUIRE(settings.machine.size() == 3);
  CHECK(settings.machine[0].key == "cores.cube");
  CHECK(settings.machine[0].value == "48");
  CHECK(settings.machine[2].value == "2e9");
}

TEST_CASE("a bad value names the key, what was expected and what was found") {
  CHECK(refusal("window=many") == "setting `window`: expected an integer from 1 to 1125899906842624, found `many`");
  CHECK(refusal("window=0").ends_with("found `0`"));
  CHECK(refusal("window=99999999999999999999").starts_with("setting `window`"));
  CHECK(refusal("deps=some") == "setting `deps`: expected hybrid or inferred or explicit, found `some`");
  CHECK(refusal("start=100") ==
        "setting `start`: expected after_orchestration or threshold(N) with N ready tasks, from 1 to 67108864, found "
        "`100`");
  CHECK(refusal("range_compression=yes").starts_with("setting `range_compression`: expected true or false"));
  for (const char* bad : {"dispatch=round_robin",
                          "dispatch=round_robin()",
                          "dispatch=round_robin(-1)",
                          "dispatch=",
                          "dispatch_threshold=",
                          "dispatch_threshold=256",
                          "dispatch_threshold=0=shared",
                          "dispatch_threshold=4=shared,",
                          "dispatch_threshold=4=shared,4=work_steal",
                          "batch=0",
                          "depth=-1",
                          "start=threshold(0)",
                          "dispatch=affinity",
                          "dispatch=affinity(4)",
                          "dispatch=hash(a,b)",
                          "ready=priority",
                          "ready=priority()",
                          "pools=custom",
                          "pools=custom(k)",
                          "pools=custom(k,a=1)",
                          "pools=custom(k,a=0/0)",
                          "pools=custom(k,a=1/0,a=1/0)",
                          "timing=batched",
                          "timing=batched(0)",
                          "timing=rate_limit(-1)",
                          "streams=-1",
                          "stream_by=4",
                          "trace=cycles()",
                          "trace=all"}) {
    CAPTURE(bad);
    CHECK(refusal(bad).starts_with("setting `"));
  }
}

TEST_CASE("what is no assignment or no flat object is refused") {
  CHECK(refusal("window") == "expected KEY=VALUE, found `window`");
  CHECK(refusal("=4") == "expected KEY=VALUE, found `=4`");
  CHECK_THROWS_AS(from_json("[1]"), pto::ScheduleError);
  CHECK_THROWS_AS(from_json("{"), pto::ScheduleError);
  CHECK_THROWS_AS(from_json(R"json({"window": {"tasks": 4}})json"), pto::ScheduleError);
}
