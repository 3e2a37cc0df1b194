#include "table_input.h"

#include <pybind11/stl.h>

#include <initializer_list>
#include <set>
#include <string>
#include <type_traits>
#include <utility>

namespace py = pybind11;

namespace {

template <class T>
T as(const py::handle& value, const std::string& what) {
  try {
    return value.cast<T>();
  } catch (const py::cast_error&) {
    throw py::value_error(what + ": " + py::repr(value).cast<std::string>() + " has the wrong type");
  }
}

template <class Enum>
Enum one_of(const std::string& what, const std::string& name,
            std::initializer_list<std::pair<const char*, Enum>> choices) {
  std::string expected;
  for (const auto& [choice, value] : choices) {
    if (name == choice) return value;
    expected += expected.empty() ? choice : std::string(", ") + choice;
  }
  throw py::value_error(what + ": expected one of " + expected + ", found '" + name + "'");
}

// The fields of a dict; those that are absent keep their default.
class Fields {
 public:
  Fields(py::dict fields, std::string what) : fields_(std::move(fields)), what_(std::move(what)) {}

  template <class T>
  void read(const char* name, T& value) {
    known_.insert(name);
    if (fields_.contains(name)) value = as<T>(fields_[name], at(name));
  }

  template <class Enum>
  void read(const char* name, Enum& value, std::initializer_list<std::pair<const char*, Enum>> choices) {
    std::string text;
    read(name, text);
    if (!text.empty()) value = one_of(at(name), text, choices);
  }

  py::dict section(const char* name) {
    py::dict value;
    read(name, value);
    return value;
  }

  void refuse_others() const {
    for (const auto& [key, value] : fields_) {
      const auto name = py::str(key).cast<std::string>();
      if (!known_.contains(name)) throw py::value_error(what_ + " has no field '" + name + "'");
    }
  }

 private:
  std::string at(const char* name) const { return what_ + "." + name; }

  py::dict fields_;
  std::string what_;
  std::set<std::string> known_;
};

pto::RuntimeCosts read_costs(const py::dict& dict) {
  pto::RuntimeCosts costs;
  Fields fields(dict, "machine.costs");
  fields.read("submit", costs.submit);
  fields.read("submit_operand", costs.submit_operand);
  fields.read("readback", costs.readback);
  fields.read("dispatch", costs.dispatch);
  fields.read("dispatch_latency", costs.dispatch_latency);
  fields.read("completion_latency", costs.completion_latency);
  fields.read("complete", costs.complete);
  fields.read("resolve", costs.resolve);
  fields.read("steal", costs.steal);
  fields.read("pickup", costs.pickup);
  fields.refuse_others();
  return costs;
}

std::vector<pto::DispatchStep> read_steps(const py::list& list) {
  using Kind = pto::Dispatch::Kind;
  std::vector<pto::DispatchStep> steps;
  for (const py::handle& item : list) {
    const std::string what = "schedule.dispatch";
    const auto [threshold, kind, schedulers] = as<std::tuple<int64_t, std::string, int>>(item, what);
    steps.push_back({threshold,
                     {one_of<Kind>(what, kind,
                                   {{"shared", Kind::Shared},
                                    {"round_robin", Kind::RoundRobin},
                                    {"affinity", Kind::Affinity},
                                    {"work_steal", Kind::WorkSteal}}),
                      schedulers}});
  }
  return steps;
}

void expect(bool holds, const std::string& what) {
  if (!holds) throw py::value_error(what);
}

pto::KernelInfo read_kernel(const py::handle& item, size_t number) {
  const std::string what = "kernels[" + std::to_string(number) + "]";
  Fields fields(as<py::dict>(item, what), what);
  pto::KernelInfo kernel;
  fields.read("name", kernel.name);
  fields.read("unit", kernel.unit, {{"cube", PTO_CUBE}, {"vector", PTO_VECTOR}});
  std::vector<std::string> roles;
  fields.read("roles", roles);
  for (const std::string& role : roles) {
    kernel.roles.push_back(
        one_of<pto_role>(what + ".roles", role, {{"in", PTO_IN}, {"out", PTO_OUT}, {"inout", PTO_INOUT}}));
  }
  fields.read("load", kernel.cost.load);
  fields.read("compute", kernel.cost.compute);
  fields.read("store", kernel.cost.store);
  fields.read("load_bytes", kernel.cost.load_bytes);
  fields.read("bytes", kernel.cost.bytes);
  fields.refuse_others();
  const pto::KernelCost& cost = kernel.cost;
  expect(cost.load >= 0 && cost.compute >= 0 && cost.store >= 0, what + ": a cost is negative");
  expect(cost.load_bytes >= 0 && cost.load_bytes <= cost.bytes, what + ": expected 0 <= load_bytes <= bytes");
  return kernel;
}

pto::TensorInfo read_tensor(const py::handle& item, size_t number) {
  const std::string what = "tensors[" + std::to_string(number) + "]";
  const auto [name, bytes, extents] = as<std::tuple<std::string, int64_t, std::vector<int64_t>>>(item, what);
  expect(bytes > 0, what + ": expected an element of at least 1 byte, found " + std::to_string(bytes));
  expect(!extents.empty() && extents.size() <= PTO_MAX_RANK,
         what + ": expected 1 to " + std::to_string(PTO_MAX_RANK) + " axes, found " + std::to_string(extents.size()));
  for (const int64_t extent : extents) expect(extent >= 0, what + ": an extent is negative");
  return {name, bytes, extents};
}

pto_region read_region(const py::handle& item, const std::vector<pto::TensorInfo>& tensors, const std::string& what) {
  using Box = std::tuple<uint32_t, std::vector<int64_t>, std::vector<int64_t>>;
  const auto [tensor, offsets, extents] = as<Box>(item, what);
  expect(tensor < tensors.size(), what + ": there is no tensor " + std::to_string(tensor));
  const std::vector<int64_t>& whole = tensors[tensor].extent;
  expect(offsets.size() == whole.size() && extents.size() == whole.size(),
         what + ": tensor '" + tensors[tensor].name + "' has " + std::to_string(whole.size()) + " axes, the region " +
             std::to_string(offsets.size()) + " offsets and " + std::to_string(extents.size()) + " extents");
  pto_region region{};
  region.tensor = tensor;
  region.rank = static_cast<uint32_t>(whole.size());
  for (size_t axis = 0; axis < whole.size(); ++axis) {
    expect(offsets[axis] >= 0 && offsets[axis] <= whole[axis] && extents[axis] >= 0 &&
               extents[axis] <= whole[axis] - offsets[axis],
           what + ": the region leaves tensor '" + tensors[tensor].name + "' on axis " + std::to_string(axis));
    region.offset[axis] = offsets[axis];
    region.extent[axis] = extents[axis];
  }
  return region;
}

TableTask read_task(const py::tuple& item, const Table& table, const std::string& what) {
  expect(item.size() == 4, what + ": expected (\"task\", kernel, operands, key)");
  TableTask task;
  task.kernel = as<uint32_t>(item[1], what + ".kernel");
  expect(task.kernel < table.kernels.size(), what + ": there is no kernel " + std::to_string(task.kernel));
  const pto::KernelInfo& kernel = table.kernels[task.kernel];
  const auto operands = as<py::sequence>(item[2], what + ".operands");
  expect(operands.size() == kernel.roles.size(), what + ": kernel '" + kernel.name + "' has " +
                                                     std::to_string(kernel.roles.size()) + " parameters, the task " +
                                                     std::to_string(operands.size()) + " operands");
  for (const py::handle& operand : operands) task.operands.push_back(read_region(operand, table.tensors, what));
  task.key = as<std::optional<int64_t>>(item[3], what + ".key");
  return task;
}

// Scopes close, and parts are in scopes.
class Nesting {
 public:
  void mark(TableMark mark, const std::string& what) {
    if (mark == TableMark::Scope) {
      ++open_;
      return;
    }
    expect(open_ > 0, what + ": there is no open scope");
    if (mark == TableMark::End) --open_;
  }
  void check_end() const { expect(open_ == 0, "program: a scope is not closed"); }

 private:
  int open_ = 0;
};

TableLine read_line(const py::tuple& item, const Table& table, Nesting& nesting, const std::string& what) {
  expect(!item.empty(), what + ": expected a kind of line");
  const auto kind = as<std::string>(item[0], what);
  if (kind == "task" || kind == "read") {
    if (kind == "task") return read_task(item, table, what);
    expect(item.size() == 2, what + ": expected (\"read\", region)");
    return read_region(item[1], table.tensors, what);
  }
  const auto mark =
      one_of<TableMark>(what, kind, {{"scope", TableMark::Scope}, {"part", TableMark::Part}, {"end", TableMark::End}});
  nesting.mark(mark, what);
  return mark;
}

void submit(pto::TaskSink& sink, const TableTask& line) {
  pto_task task{};
  task.kernel = line.kernel;
  task.operands = line.operands.data();
  task.keys = line.key ? &*line.key : nullptr;
  sink.submit(task);
}

void mark(pto::TaskSink& sink, TableMark mark) {
  switch (mark) {
    case TableMark::Scope:
      return sink.scope_begin();
    case TableMark::Part:
      return sink.part();
    case TableMark::End:
      return sink.scope_end();
  }
}

}  // namespace

void Table::run(pto::TaskSink& sink) {
  for (const TableLine& line : program) {
    if (const auto* task = std::get_if<TableTask>(&line)) {
      submit(sink, *task);
    } else if (const auto* region = std::get_if<pto_region>(&line)) {
      sink.read(*region);
    } else {
      mark(sink, std::get<TableMark>(line));
    }
  }
}

pto::MachineConfig read_machine(const py::dict& dict) {
  pto::MachineConfig machine;
  Fields fields(dict, "machine");
  fields.read("clock_hz", machine.clock_hz);
  fields.read("cube_cores", machine.cube_cores);
  fields.read("vector_cores", machine.vector_cores);
  fields.read("schedulers", machine.schedulers);
  fields.read("schedulers_max", machine.schedulers_max);
  fields.read("core_slots", machine.core_slots);
  fields.read("memory_bytes", machine.memory_bytes);
  fields.read("memory_cycles", machine.memory_cycles);
  machine.costs = read_costs(fields.section("costs"));
  fields.refuse_others();
  return machine;
}

pto::Schedule read_schedule(const py::dict& dict) {
  using pto::DepthScope, pto::Deps, pto::Infer, pto::Pools, pto::Ready;
  pto::Schedule schedule;
  Fields fields(dict, "schedule");
  fields.read("deps", schedule.deps, {{"inferred", Deps::Inferred}, {"hybrid", Deps::Hybrid}});
  fields.read("infer", schedule.infer, {{"bytes_overlap", Infer::BytesOverlap}});
  fields.read("window", schedule.window);
  fields.read("pools", schedule.pools, {{"single", Pools::Single}, {"by_exec_unit", Pools::ByExecUnit}});
  fields.read("ready", schedule.ready, {{"fifo", Ready::Fifo}, {"work_steal", Ready::WorkSteal}});
  py::list steps;
  fields.read("dispatch", steps);
  if (!steps.empty()) schedule.dispatch = read_steps(steps);
  fields.read("start_threshold", schedule.start_threshold);
  fields.read("batch", schedule.batch);
  fields.read("range_compression", schedule.range_compression);
  fields.read("depth", schedule.depth);
  fields.read("depth_scope", schedule.depth_scope, {{"core", DepthScope::Core}, {"per_pool", DepthScope::PerPool}});
  fields.refuse_others();
  return schedule;
}

Table read_table(const py::list& kernels, const py::list& tensors, const py::list& program) {
  Table table;
  for (const py::handle& item : kernels) table.kernels.push_back(read_kernel(item, table.kernels.size()));
  for (const py::handle& item : tensors) table.tensors.push_back(read_tensor(item, table.tensors.size()));
  Nesting nesting;
  for (const py::handle& item : program) {
    const std::string what = "program[" + std::to_string(table.program.size()) + "]";
    table.program.push_back(read_line(as<py::tuple>(item, what), table, nesting, what));
  }
  nesting.check_end();
  return table;
}

void check_keys(const Table& table, const pto::Schedule& schedule) {
  bool needed = false;
  for (const pto::DispatchStep& step : schedule.dispatch) needed |= step.policy.kind == pto::Dispatch::Kind::Affinity;
  if (!needed) return;
  for (size_t i = 0; i < table.program.size(); ++i) {
    const auto* task = std::get_if<TableTask>(&table.program[i]);
    expect(!task || task->key, "program[" + std::to_string(i) + "]: dispatch by affinity needs a key");
  }
}
