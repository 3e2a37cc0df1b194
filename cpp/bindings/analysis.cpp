// What a trace tells of its run's makespan, as arrays.
#include "pto/analysis.h"

#include <pybind11/pybind11.h>
#include <pybind11/stl/filesystem.h>

#include <filesystem>

#include "arrays.h"

namespace py = pybind11;

namespace {

using Path = std::filesystem::path;

// The columns `begin end cause task`; cause is an index into "compute", then the trace's stall causes.
py::dict path_arrays(const std::vector<pto::PathPiece>& path) {
  std::vector<int64_t> begin, end, task;
  std::vector<uint8_t> cause;
  for (const pto::PathPiece& piece : path) {
    begin.push_back(piece.begin);
    end.push_back(piece.end);
    cause.push_back(piece.cause ? static_cast<uint8_t>(1 + static_cast<int>(*piece.cause)) : 0);
    task.push_back(piece.task);
  }
  py::dict arrays;
  arrays["begin"] = as_array(std::move(begin));
  arrays["end"] = as_array(std::move(end));
  arrays["cause"] = as_array(std::move(cause));
  arrays["task"] = as_array(std::move(task));
  return arrays;
}

py::dict critical_path(const Path& path) {
  std::vector<pto::PathPiece> observed;
  pto::LongestPath longest;
  std::string summary;
  {
    const py::gil_scoped_release release;
    const pto::Trace trace = pto::read_trace(path);
    observed = pto::observed_path(trace);
    longest = pto::longest_path(trace);
    summary = pto::critical_path_summary(trace);
  }
  py::dict result;
  result["observed"] = path_arrays(observed);
  result["length"] = longest.length;
  result["tasks"] = as_array(std::move(longest.tasks));
  result["begin"] = as_array(std::move(longest.begin));
  result["slack"] = as_array(std::move(longest.slack));
  result["summary"] = summary;
  return result;
}

py::tuple series(const Path& path, pto::StepSeries (*count)(const pto::Trace&)) {
  pto::StepSeries counted;
  {
    const py::gil_scoped_release release;
    counted = count(pto::read_trace(path));
  }
  return py::make_tuple(as_array(std::move(counted.time)), as_array(std::move(counted.value)), counted.high_water);
}

py::tuple transfers(const Path& path, int64_t bins) {
  pto::Transfers found;
  {
    const py::gil_scoped_release release;
    found = pto::hbm_transfers(pto::read_trace(path), bins);
  }
  return py::make_tuple(as_array(std::move(found.edges)), as_array(std::move(found.bytes)));
}

}  // namespace

void bind_analysis(py::module_& m) {
  m.def("critical_path", critical_path, py::arg("trace"));
  m.def("hbm_transfers", transfers, py::arg("trace"), py::arg("bins"));
  m.def("live_tasks", [](const Path& trace) { return series(trace, pto::live_tasks); }, py::arg("trace"));
  m.def("ready_tasks", [](const Path& trace) { return series(trace, pto::ready_tasks); }, py::arg("trace"));
}
