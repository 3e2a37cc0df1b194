// Statistics as JSON and as a summary.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "pto/report.h"

namespace {

pto::Stats sample() {
  pto::Stats stats;
  stats.tasks = 3;
  stats.edges = 2;
  stats.makespan = 1000;
  stats.window_high_water = 2;
  pto::PoolStats cube{"cube", 1, 1, 250, {}};
  cube.stalls[static_cast<size_t>(pto::Stall::DepWait)] = 750;
  pto::PoolStats vector{"vector", 2, 2, 1000, {}};
  vector.stalls[static_cast<size_t>(pto::Stall::DepWait)] = 250;
  vector.stalls[static_cast<size_t>(pto::Stall::Drained)] = 750;
  stats.pools = {cube, vector};
  return stats;
}

}  // namespace

TEST_CASE("statistics as JSON") {
  const auto root = nlohmann::json::parse(pto::stats_json(sample(), {0.5}, 2'000'000));
  CHECK(root["tasks"] == 3);
  CHECK(root["edges"] == 2);
  CHECK(root["makespan_cycles"] == 1000);
  CHECK(root["makespan_ms"] == 0.5);
  CHECK(root["utilisation"]["cube"] == 0.25);
  CHECK(root["utilisation"]["vector"] == 0.5);
  CHECK(root["stalls"]["dep_wait"] == 1000);
  CHECK(root["stalls"]["drained"] == 750);
  CHECK(root["window_high_water"] == 2);
  CHECK(root["pools"][1]["stalls"]["drained"] == 750);
  CHECK(root["host"]["run_seconds"] == 0.5);
}

TEST_CASE("the summary names the makespan, the pools and the largest cause first") {
  const std::string text = pto::stats_summary(sample(), 2'000'000);
  CHECK(text.find("1000 cycles, 0.500 ms") != std::string::npos);
  CHECK(text.find("25.0 % busy on 1 cores") != std::string::npos);
  CHECK(text.find("dep_wait") < text.find("drained"));
  CHECK(text.find("readback") == std::string::npos);
}

TEST_CASE("a run without tasks has no utilisation") {
  CHECK(pto::utilisation({"cube", 1, 0, 0, {}}, 0) == 0);
  CHECK(nlohmann::json::parse(pto::stats_json({}, {}, 1))["tasks"] == 0);
}
