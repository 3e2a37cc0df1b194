#include "pto/report.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <vector>

namespace pto {
namespace {

// Keys keep the order in which they are written.
using json = nlohmann::ordered_json;

json stall_object(const std::array<int64_t, kStallCauses>& cycles) {
  json object;
  for (int cause = 0; cause < kStallCauses; ++cause) {
    object[stall_name(static_cast<Stall>(cause))] = cycles[static_cast<size_t>(cause)];
  }
  return object;
}

std::array<int64_t, kStallCauses> all_stalls(const Stats& stats) {
  std::array<int64_t, kStallCauses> sum{};
  for (const PoolStats& pool : stats.pools) {
    for (size_t cause = 0; cause < sum.size(); ++cause) sum[cause] += pool.stalls[cause];
  }
  return sum;
}

double milliseconds(int64_t cycles, int64_t clock_hz) {
  return static_cast<double>(cycles) * 1e3 / static_cast<double>(clock_hz);
}

template <typename... Values>
std::string formatted(const char* format, Values... values) {
  char text[160];
  std::snprintf(text, sizeof text, format, values...);
  return text;
}

}  // namespace

double utilisation(const PoolStats& pool, int64_t makespan) {
  const double cycles = static_cast<double>(pool.cores) * static_cast<double>(makespan);
  return cycles > 0 ? static_cast<double>(pool.busy) / cycles : 0;
}

std::string stats_json(const Stats& stats, const HostTimes& host, int64_t clock_hz) {
  json root;
  root["tasks"] = stats.tasks;
  root["edges"] = stats.edges;
  root["reads"] = stats.reads;
  root["makespan_cycles"] = stats.makespan;
  root["makespan_ms"] = milliseconds(stats.makespan, clock_hz);
  root["utilisation"] = json::object();
  for (const PoolStats& pool : stats.pools) root["utilisation"][pool.name] = utilisation(pool, stats.makespan);
  root["stalls"] = stall_object(all_stalls(stats));
  root["window_high_water"] = stats.window_high_water;
  root["window_overruns"] = stats.window_overruns;
  root["ready_high_water"] = stats.ready_high_water;
  root["orchestrator_busy"] = stats.orchestrator_busy;
  root["memory_bytes"] = stats.memory_bytes;
  root["memory_busy"] = stats.memory_busy;
  root["l2_bytes"] = stats.l2_bytes;
  root["l2_busy"] = stats.l2_busy;
  root["borrowed_vector"] = stats.borrowed_vector;
  root["pools"] = json::array();
  for (const PoolStats& pool : stats.pools) {
    root["pools"].push_back({{"name", pool.name},
                             {"cores", pool.cores},
                             {"tasks", pool.tasks},
                             {"busy", pool.busy},
                             {"stalls", stall_object(pool.stalls)}});
  }
  root["kernels"] = json::array();
  for (const KernelStats& kernel : stats.kernels) {
    root["kernels"].push_back({{"name", kernel.name},
                               {"tasks", kernel.tasks},
                               {"busy", kernel.busy},
                               {"stalls", stall_object(kernel.stalls)}});
  }
  root["schedulers"] = json::array();
  for (const SchedulerStats& scheduler : stats.schedulers) {
    root["schedulers"].push_back({{"dispatches", scheduler.dispatches},
                                  {"reports", scheduler.reports},
                                  {"steals", scheduler.steals},
                                  {"busy", scheduler.busy}});
  }
  root["host"] = {{"run_seconds", host.run}};
  return root.dump(2);
}

std::string stats_summary(const Stats& stats, int64_t clock_hz) {
  std::string text = formatted("tasks        %lld, edges %lld\n", static_cast<long long>(stats.tasks),
                               static_cast<long long>(stats.edges));
  text += formatted("makespan     %lld cycles, %.3f ms\n", static_cast<long long>(stats.makespan),
                    milliseconds(stats.makespan, clock_hz));
  for (const PoolStats& pool : stats.pools) {
    text += formatted("%-12s %5.1f %% busy on %d cores\n", pool.name.c_str(), 100 * utilisation(pool, stats.makespan),
                      pool.cores);
  }
  const auto stalls = all_stalls(stats);
  int64_t idle = 0;
  for (int64_t cycles : stalls) idle += cycles;
  std::vector<size_t> order;
  for (size_t cause = 0; cause < stalls.size(); ++cause) {
    if (stalls[cause] > 0) order.push_back(cause);
  }
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return stalls[a] > stalls[b]; });
  for (size_t cause : order) {
    text += formatted("  %-16s %5.1f %% of idle core cycles\n", stall_name(static_cast<Stall>(cause)),
                      100.0 * static_cast<double>(stalls[cause]) / static_cast<double>(idle));
  }
  return text;
}

}  // namespace pto
