#include <cstdio>
#include <numeric>

#include "pto/analysis.h"
#include "trace/columns.h"
#include "trace/csv.h"

namespace pto {
namespace {

std::string cause_name(const std::optional<Stall>& cause) { return cause ? stall_name(*cause) : "compute"; }

std::vector<size_t> first_axes(const TaskColumns& tasks) {
  std::vector<size_t> first(tasks.axis_count.size());
  std::exclusive_scan(tasks.axis_count.begin(), tasks.axis_count.end(), first.begin(), size_t{0});
  return first;
}

std::string percent(int64_t part, int64_t whole) {
  char text[48];
  std::snprintf(text, sizeof text, "%5.1f %%", 100.0 * static_cast<double>(part) / static_cast<double>(whole));
  return text;
}

}  // namespace

void write_critical_path_csv(const Trace& trace, std::ostream& out) {
  Csv csv(out, "path,begin,end,cause,task,kernel,loc,axes");
  const TaskColumns& t = trace.tasks;
  const std::vector<size_t> axes = first_axes(t);
  const auto row = [&](const char* path, int64_t begin, int64_t end, const std::string& cause, int64_t task) {
    const auto i = static_cast<size_t>(task);
    const TraceSite& site = trace.header.sites[t.site[i]];
    csv.row(std::string(path), begin, end, cause, task, trace.header.kernels[t.kernel[i]].name, site.location,
            axes_text(site, t.axes.data() + axes[i]));
  };
  for (const PathPiece& piece : observed_path(trace)) {
    row("observed", piece.begin, piece.end, cause_name(piece.cause), piece.task);
  }
  const LongestPath longest = longest_path(trace);
  for (size_t i = 0; i < longest.tasks.size(); ++i) {
    const int64_t task = longest.tasks[i];
    row("longest", longest.begin[i], longest.begin[i] + t.duration[static_cast<size_t>(task)], "compute", task);
  }
}

std::string critical_path_summary(const Trace& trace) {
  const std::vector<PathPiece> path = observed_path(trace);
  if (path.empty()) return "critical path  none: there are no tasks\n";
  const int64_t makespan = path.back().end;
  std::string text =
      "critical path  " + std::to_string(makespan) + " cycles in " + std::to_string(path.size()) + " pieces\n";
  const auto totals = path_totals(path);
  for (size_t i = 0; i < totals.size(); ++i) {
    if (totals[i] == 0) continue;
    std::string name = i == 0 ? "compute" : stall_name(static_cast<Stall>(i - 1));
    name.resize(16, ' ');
    text += "  " + name + " " + percent(totals[i], makespan) + "\n";
  }
  const int64_t length = longest_path(trace).length;
  return text + "longest path   " + std::to_string(length) + " cycles through the edges, " + percent(length, makespan) +
         " of the makespan\n";
}

}  // namespace pto
