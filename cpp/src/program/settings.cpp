#include "pto/settings.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "program/kernel_times.h"
#include "program/policy_text.h"
#include "pto/error.h"

namespace pto {
namespace {

// Most tasks that a window or a threshold may name: the engine keeps a record for each task of a window.
constexpr int64_t kMostTasks = int64_t{1} << 26;
constexpr int64_t kMostBytes = int64_t{1} << 50;
constexpr int64_t kMostSchedulers = 1 << 16;
constexpr int64_t kMostCores = 1 << 20;
constexpr std::string_view kKernelTimes = "kernel_times";
constexpr std::string_view kKernelPrefix = "kernels.";

// The index of a key function in the schedule, which learns of it here.
KeyIndex key_index(Schedule& schedule, std::string_view name) {
  auto& keys = schedule.keys;
  const auto known = std::find(keys.begin(), keys.end(), name);
  if (known != keys.end()) return static_cast<KeyIndex>(known - keys.begin());
  keys.emplace_back(name);
  return static_cast<KeyIndex>(keys.size() - 1);
}

std::optional<Dispatch> keyed_dispatch(Schedule& schedule, const PolicyText& policy) {
  using Kind = Dispatch::Kind;
  constexpr std::array<std::pair<std::string_view, Kind>, 3> kWords = {
      {{"affinity", Kind::Affinity}, {"hash", Kind::Hash}, {"dispatch_by", Kind::DispatchBy}}};
  for (const auto& [word, kind] : kWords) {
    if (policy.is(word, 1) && is_name(policy.arguments[0])) {
      return Dispatch{kind, 0, key_index(schedule, policy.arguments[0])};
    }
  }
  return std::nullopt;
}

Dispatch parse_dispatch(Schedule& schedule, const Setting& setting, std::string_view text) {
  const auto policy = parse_policy(text);
  if (policy && policy->is("shared", 0)) return {Dispatch::Kind::Shared};
  if (policy && policy->is("work_steal", 0)) return {Dispatch::Kind::WorkSteal};
  if (policy && policy->word == "round_robin") {
    if (const auto count = policy->number(0, kMostSchedulers)) {
      return {Dispatch::Kind::RoundRobin, static_cast<int>(*count)};
    }
  }
  if (policy) {
    if (const auto keyed = keyed_dispatch(schedule, *policy)) return *keyed;
  }
  setting.expected(
      "shared, work_steal, round_robin(N) with N schedulers (0: the profile's number), or affinity(KEY), hash(KEY) or "
      "dispatch_by(KEY) with the name of a key function");
}

// "256=round_robin(1),1024=work_steal"
std::vector<DispatchStep> parse_thresholds(Schedule& schedule, const Setting& setting) {
  std::vector<DispatchStep> steps;
  for (const std::string_view step : split_list(setting.value)) {
    const size_t equals = step.find('=');
    const auto threshold = parse_integer(step.substr(0, equals));
    if (equals == std::string_view::npos || !threshold || *threshold < 1 || *threshold > kMostTasks) {
      setting.expected("THRESHOLD=POLICY,... with thresholds from 1 on, such as 256=round_robin(1),1024=work_steal");
    }
    steps.push_back({*threshold, parse_dispatch(schedule, setting, step.substr(equals + 1))});
  }
  const auto below = [](const DispatchStep& a, const DispatchStep& b) { return a.threshold < b.threshold; };
  const auto same = [](const DispatchStep& a, const DispatchStep& b) { return a.threshold == b.threshold; };
  std::sort(steps.begin(), steps.end(), below);
  if (std::adjacent_find(steps.begin(), steps.end(), same) != steps.end()) setting.expected("each threshold once");
  return steps;
}

// "experts=16/0": cube and vector cores of a pool.
std::optional<CustomPool> parse_pool(std::string_view text) {
  const size_t equals = text.find('='), slash = text.find('/');
  if (equals == std::string_view::npos || slash == std::string_view::npos || slash < equals) return std::nullopt;
  const auto cube = parse_integer(text.substr(equals + 1, slash - equals - 1));
  const auto vector = parse_integer(text.substr(slash + 1));
  const auto legal = [](const auto& count) { return count && *count >= 0 && *count <= kMostCores; };
  if (!is_name(text.substr(0, equals)) || !legal(cube) || !legal(vector) || *cube + *vector == 0) return std::nullopt;
  return CustomPool{std::string(text.substr(0, equals)), static_cast<int>(*cube), static_cast<int>(*vector)};
}

void parse_pools(Schedule& schedule, const Setting& setting) {
  const std::string legal =
      "single, by_exec_unit or custom(KEY,NAME=CUBE/VECTOR,...) with the cores of each pool, such as "
      "custom(part,experts=16/0,rest=8/48)";
  const auto policy = parse_policy(setting.value);
  if (!policy) setting.expected(legal);
  std::vector<CustomPool> pools;
  if (policy->word == "custom" && policy->arguments.size() >= 2 && is_name(policy->arguments[0])) {
    for (size_t i = 1; i < policy->arguments.size(); ++i) {
      const auto pool = parse_pool(policy->arguments[i]);
      if (!pool) setting.expected(legal);
      const auto named = [&pool](const CustomPool& other) { return other.name == pool->name; };
      if (std::any_of(pools.begin(), pools.end(), named)) setting.expected("each pool once");
      pools.push_back(*pool);
    }
    schedule.pools = Pools::Custom;
    schedule.pool_key = key_index(schedule, policy->arguments[0]);
  } else if (policy->is("single", 0)) {
    schedule.pools = Pools::Single;
  } else if (policy->is("by_exec_unit", 0)) {
    schedule.pools = Pools::ByExecUnit;
  } else {
    setting.expected(legal);
  }
  schedule.custom_pools = std::move(pools);
}

void parse_ready(Schedule& schedule, const Setting& setting) {
  const auto policy = parse_policy(setting.value);
  if (policy && policy->is("priority", 1) && is_name(policy->arguments[0])) {
    schedule.ready = Ready::Priority;
    schedule.priority_key = key_index(schedule, policy->arguments[0]);
  } else if (policy && policy->is("fifo", 0)) {
    schedule.ready = Ready::Fifo;
  } else if (policy && policy->is("work_steal", 0)) {
    schedule.ready = Ready::WorkSteal;
  } else {
    setting.expected("fifo, work_steal or priority(KEY) with the name of a key function");
  }
}

void parse_start(Schedule& schedule, const Setting& setting) {
  const auto policy = parse_policy(setting.value);
  const auto count = policy && policy->word == "threshold" ? policy->number(1, kMostTasks) : std::nullopt;
  if (count) {
    schedule.start = Start::Threshold;
    schedule.start_threshold = *count;
  } else if (policy && policy->is("after_orchestration", 0)) {
    schedule.start = Start::AfterOrchestration;
  } else {
    setting.expected("after_orchestration or threshold(N) with N ready tasks, from 1 to " + std::to_string(kMostTasks));
  }
}

void parse_timing(Schedule& schedule, const Setting& setting) {
  const auto policy = parse_policy(setting.value);
  if (policy && policy->is("immediate", 0)) {
    schedule.timing = Timing::Immediate;
    return;
  }
  constexpr std::array<std::pair<std::string_view, Timing>, 3> kWords = {
      {{"batched", Timing::Batched}, {"interleaved", Timing::Interleaved}, {"rate_limit", Timing::RateLimit}}};
  for (const auto& [word, timing] : kWords) {
    const auto number = policy && policy->word == word ? policy->number(1, kMostTasks) : std::nullopt;
    if (!number) continue;
    schedule.timing = timing;
    schedule.timing_number = *number;
    return;
  }
  setting.expected("immediate, batched(TASKS), interleaved(LANES) or rate_limit(DISPATCHES PER MILLISECOND)");
}

void parse_trace(Schedule& schedule, const Setting& setting) {
  const auto policy = parse_policy(setting.value);
  const bool keyed = policy && policy->is("cycles", 1) && is_name(policy->arguments[0]);
  if (!keyed && !(policy && (policy->is("none", 0) || policy->is("cycles", 0)))) {
    setting.expected("none, cycles or cycles(KEY) with the name of a key function");
  }
  schedule.records_rows = policy->word != "none";
  schedule.cost_key = keyed ? key_index(schedule, policy->arguments[0]) : kNoKey;
}

void parse_stream_by(Schedule& schedule, const Setting& setting) {
  if (setting.value == "id") {
    schedule.stream_key = kNoKey;
  } else if (is_name(setting.value)) {
    schedule.stream_key = key_index(schedule, setting.value);
  } else {
    setting.expected("id or the name of a key function");
  }
}

struct Key {
  std::string_view name;
  void (*apply)(Schedule& schedule, const Setting& setting);
};

constexpr std::array kKeys = {
    Key{"batch", [](Schedule& s, const Setting& e) { s.batch = e.integer(1, kMostTasks); }},
    Key{"depth", [](Schedule& s, const Setting& e) { s.depth = static_cast<int>(e.integer(0, 1 << 16)); }},
    Key{"depth_scope",
        [](Schedule& s, const Setting& e) {
          s.depth_scope = e.word<DepthScope>({{"core", DepthScope::Core},
                                              {"per_pool", DepthScope::PerPool},
                                              {"global", DepthScope::Global},
                                              {"per_stream", DepthScope::PerStream}});
        }},
    Key{"deps",
        [](Schedule& s, const Setting& e) {
          s.deps = e.word<Deps>({{"hybrid", Deps::Hybrid}, {"inferred", Deps::Inferred}, {"explicit", Deps::Explicit}});
        }},
    Key{"dispatch", [](Schedule& s, const Setting& e) { s.dispatch = {{1, parse_dispatch(s, e, e.value)}}; }},
    Key{"dispatch_threshold", [](Schedule& s, const Setting& e) { s.dispatch = parse_thresholds(s, e); }},
    Key{"infer",
        [](Schedule& s, const Setting& e) {
          s.infer = e.word<Infer>(
              {{"infer_bytes_overlap", Infer::BytesOverlap}, {"infer_tensor_map_exact", Infer::TensorMapExact}});
        }},
    Key{"memory",
        [](Schedule& s, const Setting& e) {
          s.memory = e.word<MemoryModel>({{"l2", MemoryModel::L2}, {"flat", MemoryModel::Flat}});
        }},
    Key{"pools", parse_pools},
    Key{"range_compression",
        [](Schedule& s, const Setting& e) { s.range_compression = e.word<bool>({{"true", true}, {"false", false}}); }},
    Key{"ready", parse_ready},
    Key{"start", parse_start},
    Key{"stream_by", parse_stream_by},
    Key{"streams", [](Schedule& s, const Setting& e) { s.streams = e.integer(0, kMostTasks); }},
    Key{"timing", parse_timing},
    Key{"trace", parse_trace},
    Key{"window", [](Schedule& s, const Setting& e) { s.window = e.integer(1, kMostBytes); }},
    Key{"window_mode",
        [](Schedule& s, const Setting& e) {
          s.window_mode = e.word<WindowMode>(
              {{"stall", WindowMode::Stall}, {"abort", WindowMode::Abort}, {"benchmark", WindowMode::Benchmark}});
        }},
    Key{"window_unit",
        [](Schedule& s, const Setting& e) {
          s.window_unit = e.word<WindowUnit>(
              {{"tasks", WindowUnit::Tasks}, {"bytes", WindowUnit::Bytes}, {"entries", WindowUnit::Entries}});
        }},
};

std::string trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(" \t") - first + 1));
}

}  // namespace

void Settings::apply(std::string_view key, std::string_view value) {
  const auto known = std::find_if(kKeys.begin(), kKeys.end(), [key](const Key& k) { return k.name == key; });
  if (known != kKeys.end()) {
    known->apply(schedule, {key, value});
  } else if (key == kKernelTimes) {
    for (KernelTime& time : read_kernel_times(value)) kernel_times.push_back(std::move(time));
  } else if (key.starts_with(kKernelPrefix)) {
    kernel_times.push_back(parse_kernel_time(key, key.substr(kKernelPrefix.size()), value));
  } else {
    machine.push_back({std::string(key), std::string(value)});
  }
}

void Settings::apply_text(std::string_view assignment) {
  const size_t equals = assignment.find('=');
  if (equals == std::string_view::npos || trimmed(assignment.substr(0, equals)).empty()) {
    throw ScheduleError("expected KEY=VALUE, found `" + std::string(assignment) + "`");
  }
  apply(trimmed(assignment.substr(0, equals)), trimmed(assignment.substr(equals + 1)));
}

void Settings::apply_json(std::string_view json) {
  // Sorted by key: `dispatch_threshold` comes after `dispatch` and replaces it.
  const auto object = nlohmann::json::parse(json, nullptr, false);
  if (!object.is_object()) throw ScheduleError("settings: expected a JSON object, found `" + std::string(json) + "`");
  for (const auto& [key, value] : object.items()) {
    if (value.is_structured() || value.is_null()) {
      throw ScheduleError("setting `" + key + "`: expected a word, a number or a boolean, found `" + value.dump() +
                          "`");
    }
    apply(key, value.is_string() ? value.get<std::string>() : value.dump());
  }
}

std::vector<std::string> schedule_keys() {
  std::vector<std::string> names;
  for (const Key& key : kKeys) names.emplace_back(key.name);
  names.emplace_back(kKernelTimes);
  return names;
}

}  // namespace pto
