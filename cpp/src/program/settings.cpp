#include "pto/settings.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "pto/error.h"

namespace pto {
namespace {

// One assignment on its way into a schedule.
struct Entry {
  std::string_view key;
  std::string_view value;

  [[noreturn]] void expected(const std::string& what) const {
    throw ScheduleError("setting `" + std::string(key) + "`: expected " + what + ", found `" + std::string(value) +
                        "`");
  }
};

std::optional<int64_t> parse_integer(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// The argument of `name(N)`.
std::optional<int64_t> parse_call(std::string_view text, std::string_view name) {
  if (!text.starts_with(name) || !text.ends_with(')') || text.size() < name.size() + 2) return std::nullopt;
  text.remove_prefix(name.size());
  if (text.front() != '(') return std::nullopt;
  return parse_integer(text.substr(1, text.size() - 2));
}

int64_t integer(const Entry& entry, int64_t least, int64_t most) {
  const auto value = parse_integer(entry.value);
  if (!value || *value < least || *value > most) {
    entry.expected("an integer from " + std::to_string(least) + " to " + std::to_string(most));
  }
  return *value;
}

template <typename T>
T word(const Entry& entry, std::initializer_list<std::pair<std::string_view, T>> legal) {
  std::string list;
  for (const auto& [name, value] : legal) {
    if (name == entry.value) return value;
    list += (list.empty() ? "" : " or ") + std::string(name);
  }
  entry.expected(list);
}

// Most tasks that a window or a threshold may name: the engine keeps a record for each task of a window.
constexpr int64_t kMostTasks = int64_t{1} << 26;
constexpr int64_t kMostSchedulers = 1 << 16;

Dispatch parse_dispatch(const Entry& entry, std::string_view text) {
  if (text == "shared") return {Dispatch::Kind::Shared, 0};
  if (text == "work_steal") return {Dispatch::Kind::WorkSteal, 0};
  const auto schedulers = parse_call(text, "round_robin");
  if (!schedulers || *schedulers < 0 || *schedulers > kMostSchedulers) {
    entry.expected("shared, work_steal or round_robin(N) with N schedulers, 0 for all");
  }
  return {Dispatch::Kind::RoundRobin, static_cast<int>(*schedulers)};
}

// "256=round_robin(1),1024=work_steal"
std::vector<DispatchStep> parse_thresholds(const Entry& entry) {
  std::vector<DispatchStep> steps;
  std::string_view rest = entry.value;
  while (true) {
    const size_t comma = rest.find(',');
    const std::string_view step = rest.substr(0, comma);
    const size_t equals = step.find('=');
    const auto threshold = parse_integer(step.substr(0, equals));
    if (equals == std::string_view::npos || !threshold || *threshold < 1 || *threshold > kMostTasks) {
      entry.expected("THRESHOLD=POLICY,... with thresholds from 1 on, such as 256=round_robin(1),1024=work_steal");
    }
    steps.push_back({*threshold, parse_dispatch(entry, step.substr(equals + 1))});
    if (comma == std::string_view::npos) break;
    rest.remove_prefix(comma + 1);
  }
  const auto below = [](const DispatchStep& a, const DispatchStep& b) { return a.threshold < b.threshold; };
  const auto same = [](const DispatchStep& a, const DispatchStep& b) { return a.threshold == b.threshold; };
  std::sort(steps.begin(), steps.end(), below);
  if (std::adjacent_find(steps.begin(), steps.end(), same) != steps.end()) entry.expected("each threshold once");
  return steps;
}

int64_t parse_start(const Entry& entry) {
  const auto count = parse_call(entry.value, "threshold");
  if (!count || *count < 1 || *count > kMostTasks) entry.expected("threshold(N) with N ready tasks, at least 1");
  return *count;
}

struct Key {
  std::string_view name;
  void (*apply)(Schedule& schedule, const Entry& entry);
};

// A key whose only value so far is the engine's one behaviour: spelled out in a program, checked here.
template <const std::string_view& only>
void fixed(Schedule&, const Entry& entry) {
  if (entry.value != only) entry.expected(std::string(only));
}
constexpr std::string_view kTasks = "tasks", kStall = "stall", kCycles = "cycles";

constexpr std::array kKeys = {
    Key{"batch", [](Schedule& s, const Entry& e) { s.batch = integer(e, 1, kMostTasks); }},
    Key{"depth", [](Schedule& s, const Entry& e) { s.depth = static_cast<int>(integer(e, 0, 1 << 16)); }},
    Key{"depth_scope",
        [](Schedule& s, const Entry& e) {
          s.depth_scope = word<DepthScope>(e, {{"core", DepthScope::Core}, {"per_pool", DepthScope::PerPool}});
        }},
    Key{"deps",
        [](Schedule& s, const Entry& e) {
          s.deps = word<Deps>(e, {{"hybrid", Deps::Hybrid}, {"inferred", Deps::Inferred}});
        }},
    Key{"dispatch", [](Schedule& s, const Entry& e) { s.dispatch = {{1, parse_dispatch(e, e.value)}}; }},
    Key{"dispatch_threshold", [](Schedule& s, const Entry& e) { s.dispatch = parse_thresholds(e); }},
    Key{"infer",
        [](Schedule& s, const Entry& e) { s.infer = word<Infer>(e, {{"infer_bytes_overlap", Infer::BytesOverlap}}); }},
    Key{"pools",
        [](Schedule& s, const Entry& e) {
          s.pools = word<Pools>(e, {{"by_exec_unit", Pools::ByExecUnit}, {"single", Pools::Single}});
        }},
    Key{"range_compression",
        [](Schedule& s, const Entry& e) { s.range_compression = word<bool>(e, {{"true", true}, {"false", false}}); }},
    Key{"ready",
        [](Schedule& s, const Entry& e) {
          s.ready = word<Ready>(e, {{"fifo", Ready::Fifo}, {"work_steal", Ready::WorkSteal}});
        }},
    Key{"start", [](Schedule& s, const Entry& e) { s.start_threshold = parse_start(e); }},
    Key{"trace", fixed<kCycles>},
    Key{"window", [](Schedule& s, const Entry& e) { s.window = integer(e, 1, kMostTasks); }},
    Key{"window_mode", fixed<kStall>},
    Key{"window_unit", fixed<kTasks>},
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
  return names;
}

}  // namespace pto
