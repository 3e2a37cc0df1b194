#include "pto/comparison.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>

namespace pto {
namespace {

constexpr size_t kColumns = 8;
using Line = std::array<std::string, kColumns>;

struct UnitCycles {
  int64_t busy = 0;
  double all = 0;
};

// Pools are named after their unit, custom ones NAME.unit.
UnitCycles cycles_of(const Stats& stats, std::string_view unit) {
  UnitCycles sum;
  for (const PoolStats& pool : stats.pools) {
    const std::string_view name = pool.name;
    if (name.substr(name.rfind('.') + 1) != unit) continue;
    sum.busy += pool.busy;
    sum.all += static_cast<double>(pool.cores) * static_cast<double>(stats.makespan);
  }
  return sum;
}

std::string percent(double share, const char* format = "%.1f %%") {
  char text[32];
  std::snprintf(text, sizeof text, format, 100 * share);
  return text;
}

std::string utilisation_of(const Stats& stats, std::string_view unit) {
  const UnitCycles cycles = cycles_of(stats, unit);
  return cycles.all > 0 ? percent(static_cast<double>(cycles.busy) / cycles.all) : "-";
}

// Of all core cycles.
double share_of(const Stats& stats, size_t cause) {
  int64_t stalled = 0;
  double all = 0;
  for (const PoolStats& pool : stats.pools) {
    stalled += pool.stalls[cause];
    all += static_cast<double>(pool.cores) * static_cast<double>(stats.makespan);
  }
  return all > 0 ? static_cast<double>(stalled) / all : 0;
}

size_t largest_cause(const Stats& stats) {
  size_t largest = 0;
  for (size_t cause = 1; cause < kStallCauses; ++cause) {
    if (share_of(stats, cause) > share_of(stats, largest)) largest = cause;
  }
  return largest;
}

std::string fixed(double value) {
  char text[48];
  std::snprintf(text, sizeof text, "%.3f", value);
  return text;
}

Line line_of(const std::string& what, const RunResult& run, const RunResult& base) {
  const Stats& stats = run.stats;
  const size_t cause = largest_cause(stats);
  const double seconds = static_cast<double>(stats.makespan) / static_cast<double>(run.clock_hz);
  const double base_seconds = static_cast<double>(base.stats.makespan) / static_cast<double>(base.clock_hz);
  const double share = share_of(stats, cause);
  const std::string change = &run == &base ? "" : percent(share - share_of(base.stats, cause), "%+.1f");
  return {what,
          std::to_string(stats.makespan),
          fixed(seconds * 1e3),
          base_seconds > 0 ? fixed(seconds / base_seconds) : "-",
          utilisation_of(stats, "cube"),
          utilisation_of(stats, "vector"),
          share > 0 ? std::string(stall_name(static_cast<Stall>(cause))) + " " + percent(share) : "-",
          change};
}

std::string aligned(const std::vector<Line>& lines) {
  std::array<size_t, kColumns> width{};
  for (const Line& line : lines) {
    for (size_t c = 0; c < kColumns; ++c) width[c] = std::max(width[c], line[c].size());
  }
  std::string text;
  for (const Line& line : lines) {
    std::string row;
    for (size_t c = 0; c < kColumns; ++c) {
      const bool is_text = c == 0 || c == 6;
      const std::string padding(width[c] - line[c].size(), ' ');
      row += (c == 0 ? "" : "  ") + (is_text ? line[c] + padding : padding + line[c]);
    }
    row.erase(row.find_last_not_of(' ') + 1);
    text += row + "\n";
  }
  return text;
}

}  // namespace

std::string comparison_table(const RunResult& base, const std::vector<ComparedRun>& runs) {
  std::vector<Line> lines = {
      {"setting", "cycles", "ms", "ratio", "cube busy", "vector busy", "largest stall", "change"}};
  lines.push_back(line_of("base", base, base));
  for (const ComparedRun& run : runs) lines.push_back(line_of(run.what, run.result, base));
  return aligned(lines);
}

}  // namespace pto
