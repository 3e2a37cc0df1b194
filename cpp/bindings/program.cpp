// Programs, sessions, runs and traces as Python sees them; python/pto_wsp/_core.pyi tells the types.
#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "arrays.h"
#include "pto/analysis.h"
#include "pto/comparison.h"
#include "pto/cpu.h"
#include "pto/dtype.h"
#include "pto/error.h"
#include "pto/report.h"
#include "pto/session.h"
#include "pto/settings.h"
#include "pto/target.h"
#include "pto/trace.h"

namespace py = pybind11;

namespace {

using Path = std::filesystem::path;
using ReleaseGil = py::call_guard<py::gil_scoped_release>;

// Each C++ class of error is raised as the class of that name in pto_wsp.errors.
void raise_as(const char* name, const char* message) {
  py::set_error(py::module_::import("pto_wsp.errors").attr(name), message);
}

void translate(std::exception_ptr error) {
  try {
    std::rethrow_exception(error);
  } catch (const pto::MachineError& e) {
    raise_as("MachineError", e.what());
  } catch (const pto::ScheduleError& e) {
    raise_as("ScheduleError", e.what());
  } catch (const pto::LoadError& e) {
    raise_as("LoadError", e.what());
  } catch (const pto::ExecutionError& e) {
    raise_as("ExecutionError", e.what());
  } catch (const pto::Error& e) {
    raise_as("PtoError", e.what());
  }
}

py::list tensors(const pto::LoadedProgram& loaded) {
  constexpr const char* kSources[] = {"none", "memory", "random", "zipf"};
  constexpr const char* kRoles[] = {"constant", "input", "output", "temporary"};
  py::list list;
  for (uint32_t i = 0; i < loaded.program().tensor_count; ++i) {
    const pto_tensor& tensor = loaded.program().tensors[i];
    py::dict info;
    info["name"] = tensor.name;
    info["dtype"] = pto::dtype_info(tensor.dtype).name;
    info["shape"] = py::tuple(py::cast(std::vector<int64_t>(tensor.extent, tensor.extent + tensor.rank)));
    info["source"] = kSources[tensor.source];
    info["role"] = kRoles[tensor.role];
    list.append(info);
  }
  return list;
}

void bind_array(pto::Session& session, const std::string& name, const std::string& dtype, const py::array& array,
                bool has_values) {
  const auto known = pto::dtype_named(dtype);
  if (!known || array.itemsize() != pto::dtype_info(*known).bytes || !(array.flags() & py::array::c_style)) {
    throw py::value_error("expected a C-contiguous array of " + dtype + " elements");
  }
  pto::TensorData data;
  data.dtype = *known;
  data.extent.assign(array.shape(), array.shape() + array.ndim());
  data.data = const_cast<void*>(array.data());
  data.has_values = has_values;
  session.bind(name, data);
}

using SymbolValues = std::vector<std::pair<std::string, int64_t>>;

pto::RunOptions configured(const pto::Session& session, const std::vector<std::string>& settings, const Path& profile) {
  pto::Settings all;
  for (const std::string& text : settings) all.apply_json(text);
  return pto::configure(session.program(), all, profile);
}

void check_settings(const pto::Session& session, const std::vector<std::string>& settings, const Path& profile) {
  configured(session, settings, profile);
}

std::unique_ptr<pto::Run> start_run(pto::Session& session, const std::string& mode,
                                    const std::vector<std::string>& settings, const Path& profile, int threads,
                                    const Path& trace, const SymbolValues& symbols) {
  const py::gil_scoped_release release;
  pto::RunOptions options = configured(session, settings, profile);
  options.mode = mode == "execute" ? pto::Mode::Execute : mode == "check" ? pto::Mode::Check : pto::Mode::Simulate;
  options.threads = threads;
  options.trace = trace;
  options.symbols = pto::symbol_values(session.program(), symbols);
  return session.start(options);
}

void check_schedule(const pto::LoadedProgram& program, const Path& profile) {
  pto::Settings settings;
  settings.apply_json(program.settings());
  pto::check_schedule(program.program(), settings, profile);
}

// The arrays that a run works on live as long as its session. (As an annotation of the function, keep_alive would
// crash where an argument has the wrong type.)
py::object start(const py::object& session, const std::string& mode, const std::vector<std::string>& settings,
                 const Path& profile, int threads, const Path& trace, const SymbolValues& symbols) {
  py::object run = py::cast(start_run(session.cast<pto::Session&>(), mode, settings, profile, threads, trace, symbols));
  py::detail::keep_alive_impl(run, session);
  return run;
}

py::dict task_arrays(pto::TaskColumns& t) {
  py::dict arrays;
  arrays["task"] = as_array(std::move(t.task));
  arrays["kernel"] = as_array(std::move(t.kernel));
  arrays["site"] = as_array(std::move(t.site));
  arrays["unit"] = as_array(std::move(t.unit));
  arrays["core"] = as_array(std::move(t.core));
  arrays["scheduler"] = as_array(std::move(t.scheduler));
  arrays["pool"] = as_array(std::move(t.pool));
  arrays["stream"] = as_array(std::move(t.stream));
  arrays["submit"] = as_array(std::move(t.submit));
  arrays["ready"] = as_array(std::move(t.ready));
  arrays["dispatch"] = as_array(std::move(t.dispatch));
  arrays["start"] = as_array(std::move(t.start));
  arrays["end"] = as_array(std::move(t.end));
  arrays["retire"] = as_array(std::move(t.retire));
  arrays["published"] = as_array(std::move(t.published));
  arrays["duration"] = as_array(std::move(t.duration));
  arrays["waited_for"] = as_array(std::move(t.waited_for));
  arrays["before_submit"] = as_array(std::move(t.before_submit));
  arrays["bound_by"] = as_array(std::move(t.bound_by));
  arrays["axis_count"] = as_array(std::move(t.axis_count));
  arrays["axes"] = as_array(std::move(t.axes));
  return arrays;
}

py::dict trace_header(const pto::Trace& trace) {
  py::list kernels, sites;
  for (const auto& kernel : trace.header.kernels) kernels.append(kernel.name);
  for (const auto& site : trace.header.sites) sites.append(py::make_tuple(site.location, site.axes));
  py::list kinds, causes;
  for (int i = 0; i <= static_cast<int>(pto::EdgeKind::Stream); ++i) {
    kinds.append(pto::edge_name(static_cast<pto::EdgeKind>(i)));
  }
  for (int i = 0; i < pto::kStallCauses; ++i) causes.append(pto::stall_name(static_cast<pto::Stall>(i)));
  py::dict header;
  header["program"] = trace.header.program;
  header["clock_hz"] = trace.header.clock_hz;
  header["cube_cores"] = trace.header.cube_cores;
  header["vector_cores"] = trace.header.vector_cores;
  header["kernels"] = kernels;
  header["sites"] = sites;
  header["bound_by"] = trace.bound_by;
  header["edge_kinds"] = kinds;
  header["stall_causes"] = causes;
  return header;
}

py::dict read_trace(const Path& path) {
  pto::Trace trace;
  {
    const py::gil_scoped_release release;
    trace = pto::read_trace(path);
  }
  py::dict edges, stalls, all;
  edges["src"] = as_array(std::move(trace.edges.src));
  edges["dst"] = as_array(std::move(trace.edges.dst));
  edges["kind"] = as_array(std::move(trace.edges.kind));
  stalls["core"] = as_array(std::move(trace.stalls.core));
  stalls["begin"] = as_array(std::move(trace.stalls.begin));
  stalls["end"] = as_array(std::move(trace.stalls.end));
  stalls["cause"] = as_array(std::move(trace.stalls.cause));
  stalls["task"] = as_array(std::move(trace.stalls.task));
  all["header"] = trace_header(trace);
  all["tasks"] = task_arrays(trace.tasks);
  all["edges"] = edges;
  all["stalls"] = stalls;
  return all;
}

std::string compare(const pto::RunResult& base, const std::vector<std::pair<std::string, pto::RunResult>>& runs) {
  std::vector<pto::ComparedRun> compared;
  for (const auto& [what, result] : runs) compared.push_back({what, result});
  return pto::comparison_table(base, compared);
}

py::dict access(const pto::CheckedAccess& found) {
  py::dict access;
  access["task"] = found.task;
  access["loc"] = found.loc;
  access["text"] = found.text;
  return access;
}

py::list findings(const std::vector<pto::Finding>& found) {
  py::list list;
  for (const pto::Finding& finding : found) {
    py::dict item;
    item["kind"] = pto::edge_name(finding.kind);
    item["count"] = finding.count;
    item["earlier"] = access(finding.earlier);
    item["later"] = access(finding.later);
    list.append(item);
  }
  return list;
}

py::dict check_report(const pto::RunResult& result) {
  const pto::CheckReport& found = result.check.value();
  py::dict report;
  report["tasks"] = found.tasks;
  report["edges"] = found.edges;
  report["pairs"] = found.pairs;
  report["races"] = findings(found.races);
  report["partial_overlaps"] = findings(found.partial_overlaps);
  report["needless_edges"] = findings(found.needless);
  report["text"] = pto::check_text(found);
  return report;
}

void bind_run(py::module_& m) {
  py::class_<pto::RunResult>(m, "RunResult")
      .def_property_readonly("json",
                             [](const pto::RunResult& r) { return pto::stats_json(r.stats, r.host, r.clock_hz); })
      .def_property_readonly("check", check_report)
      .def_property_readonly("summary",
                             [](const pto::RunResult& r) { return pto::stats_summary(r.stats, r.clock_hz); });
  py::class_<pto::Run>(m, "Run")
      .def("wait", &pto::Run::wait, py::arg("timeout_ms"), ReleaseGil())
      .def("cancel", &pto::Run::cancel, ReleaseGil())
      .def("result", &pto::Run::result, ReleaseGil());
  m.def("compare", compare, py::arg("base"), py::arg("runs"));
}

void bind_session(py::module_& m) {
  py::class_<pto::LoadedProgram, std::shared_ptr<pto::LoadedProgram>>(m, "LoadedProgram")
      .def(py::init<const Path&>(), py::arg("path"), ReleaseGil())
      .def_property_readonly("name", [](const pto::LoadedProgram& p) { return p.program().name; })
      .def_property_readonly("settings", &pto::LoadedProgram::settings)
      .def("check_schedule", check_schedule, py::arg("profile"), ReleaseGil())
      .def_property_readonly("tensors", tensors);
  py::class_<pto::Session>(m, "Session")
      .def(py::init([](std::shared_ptr<pto::LoadedProgram> p) { return std::make_unique<pto::Session>(std::move(p)); }),
           py::arg("program"))
      .def("bind", bind_array, py::arg("tensor"), py::arg("dtype"), py::arg("array"), py::arg("has_values"),
           py::keep_alive<1, 4>())
      .def("replay", &pto::Session::replay, py::arg("other"))
      .def("check_settings", check_settings, py::arg("settings"), py::arg("profile"), ReleaseGil())
      .def("start", start, py::arg("mode"), py::arg("settings"), py::arg("profile"), py::arg("threads"),
           py::arg("trace"), py::arg("symbols"));
}

void bind_trace(py::module_& m) {
  const auto writer = [&m](const char* name, pto::TraceFormat format) {
    m.def(
        name, [format](const Path& trace, const Path& out) { pto::write_file(pto::read_trace(trace), format, out); },
        py::arg("trace"), py::arg("out"), ReleaseGil());
  };
  m.def("read_trace", read_trace, py::arg("path"));
  writer("write_tasks_csv", pto::write_tasks_csv);
  writer("write_edges_csv", pto::write_edges_csv);
  writer("write_stalls_csv", pto::write_stalls_csv);
  writer("write_perfetto", pto::write_perfetto);
  writer("write_critical_path_csv", pto::write_critical_path_csv);
}

}  // namespace

void bind_program(py::module_& m) {
  py::register_exception_translator(translate);
  m.def("cpu_level", &pto::cpu_level);
  m.def("seal", &pto::seal, py::arg("object"), py::arg("settings"), py::arg("out"), ReleaseGil());
  m.def("check_seal", &pto::check_seal, py::arg("program"), ReleaseGil());
  m.def("schedule_keys", &pto::schedule_keys);
  bind_session(m);
  bind_run(m);
  bind_trace(m);
}
