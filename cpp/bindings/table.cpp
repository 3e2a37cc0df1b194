// Simulates a table of tasks instead of a task program: for tests, and for whoever wants to try the machine alone.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <atomic>
#include <string>
#include <vector>

#include "pto/settings.h"
#include "pto/simulation.h"
#include "table_input.h"

namespace py = pybind11;

namespace {

class Rows final : public pto::TraceSink {
 public:
  std::vector<pto::TaskRow> tasks;
  std::vector<pto::EdgeRow> edges;
  std::vector<pto::StallRow> stalls;

  void task(const pto::TaskRow& row) override { tasks.push_back(row); }
  void edge(const pto::EdgeRow& row) override { edges.push_back(row); }
  void stall(const pto::StallRow& row) override { stalls.push_back(row); }
};

const char* unit_name(pto_unit unit) { return unit == PTO_CUBE ? "cube" : "vector"; }

py::dict to_python(const pto::TaskRow& row) {
  using py::literals::operator""_a;
  return py::dict("task"_a = row.task, "kernel"_a = row.kernel, "unit"_a = unit_name(row.unit), "core"_a = row.core,
                  "scheduler"_a = row.scheduler, "pool"_a = row.pool, "stream"_a = row.stream, "submit"_a = row.submit,
                  "ready"_a = row.ready, "dispatch"_a = row.dispatch, "start"_a = row.start, "end"_a = row.end,
                  "retire"_a = row.retire, "bound_by"_a = row.bound_by);
}

py::tuple to_python(const pto::EdgeRow& row) { return py::make_tuple(row.src, row.dst, pto::edge_name(row.kind)); }

py::tuple to_python(const pto::StallRow& row) {
  return py::make_tuple(row.core, row.begin, row.end, pto::stall_name(row.cause), row.task);
}

py::dict by_cause(const std::array<int64_t, pto::kStallCauses>& cycles) {
  py::dict causes;
  for (int cause = 0; cause < pto::kStallCauses; ++cause) {
    causes[pto::stall_name(static_cast<pto::Stall>(cause))] = cycles[cause];
  }
  return causes;
}

py::dict to_python(const pto::PoolStats& pool) {
  using py::literals::operator""_a;
  return py::dict("name"_a = pool.name, "cores"_a = pool.cores, "tasks"_a = pool.tasks, "busy"_a = pool.busy,
                  "stalls"_a = by_cause(pool.stalls));
}

py::dict to_python(const pto::KernelStats& kernel) {
  using py::literals::operator""_a;
  return py::dict("name"_a = kernel.name, "tasks"_a = kernel.tasks, "busy"_a = kernel.busy,
                  "stalls"_a = by_cause(kernel.stalls));
}

py::dict to_python(const pto::SchedulerStats& scheduler) {
  using py::literals::operator""_a;
  return py::dict("dispatches"_a = scheduler.dispatches, "reports"_a = scheduler.reports, "steals"_a = scheduler.steals,
                  "busy"_a = scheduler.busy);
}

template <class T>
py::list to_python(const std::vector<T>& rows) {
  py::list list;
  for (const T& row : rows) list.append(to_python(row));
  return list;
}

py::dict to_python(const pto::Stats& stats) {
  using py::literals::operator""_a;
  return py::dict("tasks"_a = stats.tasks, "edges"_a = stats.edges, "reads"_a = stats.reads,
                  "makespan"_a = stats.makespan, "orchestrator_busy"_a = stats.orchestrator_busy,
                  "memory_bytes"_a = stats.memory_bytes, "memory_busy"_a = stats.memory_busy,
                  "l2_bytes"_a = stats.l2_bytes, "l2_busy"_a = stats.l2_busy,
                  "borrowed_vector"_a = stats.borrowed_vector, "window_high_water"_a = stats.window_high_water,
                  "window_overruns"_a = stats.window_overruns, "ready_high_water"_a = stats.ready_high_water,
                  "pools"_a = to_python(stats.pools), "kernels"_a = to_python(stats.kernels),
                  "schedulers"_a = to_python(stats.schedulers));
}

pto::Schedule read_schedule(const std::string& json) {
  pto::Settings settings;
  settings.apply_json(json);
  if (!settings.machine.empty()) throw py::value_error("there is no setting '" + settings.machine.front().key + "'");
  return settings.schedule;
}

py::dict simulate_table(const py::dict& machine, const std::string& settings, const py::list& kernels,
                        const py::list& tensors, const py::list& program) {
  const pto::MachineConfig machine_config = read_machine(machine);
  const pto::Schedule schedule = read_schedule(settings);
  Table table = read_table(kernels, tensors, program);
  table.keys = schedule.keys;
  check_keys(table);
  Rows rows;
  pto::Stats stats;
  {
    const py::gil_scoped_release release;
    const std::atomic<bool> stop = false;
    pto::Simulation simulation(machine_config, schedule, table.kernels, table.tensors, &rows, stop);
    table.run(simulation);
    stats = simulation.finish();
  }
  py::dict result;
  result["tasks"] = to_python(rows.tasks);
  result["edges"] = to_python(rows.edges);
  result["stalls"] = to_python(rows.stalls);
  result["stats"] = to_python(stats);
  return result;
}

}  // namespace

void bind_table(py::module_& m) {
  m.def("simulate_table", &simulate_table, py::arg("machine"), py::arg("settings"), py::arg("kernels"),
        py::arg("tensors"), py::arg("program"),
        R"(Simulates a table of tasks and returns its rows: {"tasks", "edges", "stalls", "stats"}.

machine: the fields of MachineConfig (cpp/include/pto/config.h); what is absent has its default.
settings: a schedule's settings as a JSON object (docs/settings.md).
kernels: dicts of name, unit, roles, load, compute, store (cycles), load_bytes, bytes, moved_bytes (else as bytes),
         loads (bytes through each parameter; else all of each region read).
tensors: (name, element_bytes, extents).
program: ("task", kernel, [(tensor, offsets, extents), ...], {key function: value}, [ids that it comes after]), the last
         two if need be; ("read", (tensor, offsets, extents)), ("scope",), ("part",), ("end",), ("pipeline", [depth of a channel, ...],
         [lines of a process, ...]). Of a process besides: ("send", channel), ("receive", channel), ("done", channel) at the
         end of a token's body, ("loop",), ("iteration",), ("endloop",).

Raises ValueError for a table that contradicts itself, ScheduleError for a schedule that the machine cannot honour.)");
}
