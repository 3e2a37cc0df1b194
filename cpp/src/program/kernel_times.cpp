#include "program/kernel_times.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <fstream>
#include <optional>
#include <sstream>
#include <utility>

#include "program/policy_text.h"
#include "pto/error.h"

namespace pto {
namespace {

constexpr double kMostPicoseconds = 1e17;  // a day
constexpr int64_t kMostCycles = int64_t{1} << 48;

constexpr std::array<std::pair<std::string_view, double>, 3> kUnits = {{{"ns", 1e3}, {"us", 1e6}, {"ms", 1e9}}};

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\"";
  const size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

// The picoseconds of a number in this unit.
std::optional<int64_t> picoseconds(std::string_view number, double unit) {
  double value = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
  if (error != std::errc() || end != number.data() + number.size()) return std::nullopt;
  if (!(value * unit >= 1) || value * unit > kMostPicoseconds) return std::nullopt;
  return std::llround(value * unit);
}

std::optional<KernelTime> time_in(std::string_view kernel, std::string_view number, std::string_view unit) {
  if (unit == "cycles") {
    const auto cycles = parse_integer(number);
    if (!cycles || *cycles < 1 || *cycles > kMostCycles) return std::nullopt;
    return KernelTime{std::string(kernel), *cycles, 0};
  }
  const auto known = std::find_if(kUnits.begin(), kUnits.end(), [unit](const auto& one) { return one.first == unit; });
  const auto time = known == kUnits.end() ? std::nullopt : picoseconds(number, known->second);
  if (!time) return std::nullopt;
  return KernelTime{std::string(kernel), 0, *time};
}

std::vector<std::string_view> cells(std::string_view line) {
  std::vector<std::string_view> found;
  for (size_t begin = 0; begin <= line.size();) {
    const size_t end = std::min(line.find(',', begin), line.size());
    found.push_back(trimmed(line.substr(begin, end - begin)));
    begin = end + 1;
  }
  return found;
}

struct Columns {
  size_t kernel = 0, time = 0;
  std::string unit;
};

std::optional<Columns> columns(std::string_view header) {
  const auto names = cells(header);
  const auto kernel = std::find(names.begin(), names.end(), "kernel");
  const auto is_time = [](std::string_view name) { return name == "cycles" || time_in("", "1", name).has_value(); };
  const auto time = std::find_if(names.begin(), names.end(), is_time);
  if (kernel == names.end() || time == names.end()) return std::nullopt;
  if (std::any_of(time + 1, names.end(), is_time)) return std::nullopt;
  return Columns{static_cast<size_t>(kernel - names.begin()), static_cast<size_t>(time - names.begin()),
                 std::string(*time)};
}

}  // namespace

KernelTime parse_kernel_time(std::string_view key, std::string_view kernel, std::string_view value) {
  std::string_view unit = "cycles";
  std::string_view number = value;
  for (const auto& [name, factor] : kUnits) {
    if (!value.ends_with(name)) continue;
    unit = name;
    number.remove_suffix(name.size());
  }
  const auto time = time_in(kernel, trimmed(number), unit);
  if (!time) Setting{key, value}.expected("cycles, a whole number from 1 on, or a time such as 2.5us, 800ns or 3ms");
  return *time;
}

std::vector<KernelTime> read_kernel_times(const std::filesystem::path& file) {
  std::ifstream stream(file);
  const auto refuse = [&file](size_t line, const std::string& what) -> void {
    throw ScheduleError(file.string() + ":" + std::to_string(line) + ": " + what);
  };
  std::string line;
  if (!stream || !std::getline(stream, line))
    throw ScheduleError(file.string() + ": expected a CSV file with a header");
  const auto found = columns(line);
  if (!found) {
    refuse(1, "expected a header with the column kernel and one of cycles, ns, us and ms, found `" + line + "`");
  }
  std::vector<KernelTime> times;
  for (size_t number = 2; std::getline(stream, line); ++number) {
    if (trimmed(line).empty()) continue;
    const auto row = cells(line);
    const bool whole = row.size() > std::max(found->kernel, found->time) && !row[found->kernel].empty();
    const auto time = whole ? time_in(row[found->kernel], row[found->time], found->unit) : std::nullopt;
    if (!time) refuse(number, "expected a kernel and its time in " + found->unit + ", found `" + line + "`");
    const auto same = [&time](const KernelTime& other) { return other.kernel == time->kernel; };
    if (std::any_of(times.begin(), times.end(), same)) refuse(number, "kernel " + time->kernel + " comes twice");
    times.push_back(*time);
  }
  return times;
}

KernelCost kernel_cost(const KernelTime& time, const Machine& machine) {
  KernelCost cost;
  cost.read_bytes = 0;
  cost.compute = time.cycles;
  if (time.picoseconds > 0) {
    constexpr __int128 kPicoseconds = 1'000'000'000'000;
    const auto product = static_cast<__int128>(time.picoseconds) * machine.amount("clock");
    cost.compute = static_cast<int64_t>((product + kPicoseconds - 1) / kPicoseconds);
  }
  return cost;
}

}  // namespace pto
