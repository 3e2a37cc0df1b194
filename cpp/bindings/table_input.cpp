#include "table_input.h"

#include <pybind11/stl.h>

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <set>
#include <string>
#include <type_traits>
#include <utility>

#include "pto/error.h"
#include "pto/pipeline.h"

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

void expect(bool holds, const std::string& what) {
  if (!holds) throw py::value_error(what);
}

void read_cost(Fields& fields, const std::string& what, pto::KernelCost& cost) {
  fields.read("load", cost.load);
  fields.read("compute", cost.compute);
  fields.read("store", cost.store);
  fields.read("load_bytes", cost.load_bytes);
  fields.read("bytes", cost.bytes);
  cost.moved_bytes = cost.bytes;
  fields.read("moved_bytes", cost.moved_bytes);
  expect(cost.load >= 0 && cost.compute >= 0 && cost.store >= 0, what + ": a cost is negative");
  expect(cost.load_bytes >= 0 && cost.load_bytes <= cost.bytes, what + ": expected 0 <= load_bytes <= bytes");
  expect(cost.moved_bytes >= cost.bytes, what + ": expected bytes <= moved_bytes");
}

pto::KernelCost with_trips(const pto::KernelCost& fixed, const pto::KernelCost& trip, int64_t trips) {
  pto::KernelCost cost = fixed;
  cost.load += trips * trip.load;
  cost.compute += trips * trip.compute;
  cost.store += trips * trip.store;
  cost.load_bytes += trips * trip.load_bytes;
  cost.bytes += trips * trip.bytes;
  cost.moved_bytes += trips * trip.moved_bytes;
  return cost;
}

std::vector<int64_t> read_loads(Fields& fields, const std::string& what, size_t parameters) {
  std::vector<int64_t> loads;
  fields.read("loads", loads);
  expect(loads.empty() || loads.size() == parameters, what + ": expected loads of as many bytes as parameters");
  for (const int64_t bytes : loads) expect(bytes >= 0, what + ": a load is negative");
  return loads;
}

pto::LoadFunction with_trips(std::vector<int64_t> fixed, std::vector<int64_t> trip) {
  if (fixed.empty()) return {};
  trip.resize(fixed.size());
  return [fixed = std::move(fixed), trip = std::move(trip)](const int64_t* trips) {
    std::vector<int64_t> loads = fixed;
    for (size_t i = 0; trips != nullptr && i < loads.size(); ++i) loads[i] += trips[0] * trip[i];
    return loads;
  };
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
  read_cost(fields, what, kernel.cost);
  const std::vector<int64_t> loads = read_loads(fields, what, kernel.roles.size());
  std::vector<int64_t> trip_loads;
  if (const py::dict per_trip = fields.section("per_trip"); !per_trip.empty()) {
    const std::string part = what + ".per_trip";
    Fields inner(per_trip, part);
    pto::KernelCost trip;
    read_cost(inner, part, trip);
    trip_loads = read_loads(inner, part, kernel.roles.size());
    inner.refuse_others();
    kernel.loops.push_back({"", 0, 1, [](const int64_t* numbers) { return numbers[0]; }});
    kernel.cost_of = [fixed = kernel.cost, trip](const int64_t* trips) { return with_trips(fixed, trip, trips[0]); };
  }
  fields.refuse_others();
  kernel.loads_of = with_trips(loads, trip_loads);
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

TableTask read_task(const py::tuple& item, const Table& table, int64_t created, const std::string& what) {
  expect(item.size() >= 3 && item.size() <= 6, what + ": expected (\"task\", kernel, operands, keys, after, trips)");
  TableTask task;
  task.kernel = as<uint32_t>(item[1], what + ".kernel");
  expect(task.kernel < table.kernels.size(), what + ": there is no kernel " + std::to_string(task.kernel));
  const pto::KernelInfo& kernel = table.kernels[task.kernel];
  const auto operands = as<py::sequence>(item[2], what + ".operands");
  expect(operands.size() == kernel.roles.size(), what + ": kernel '" + kernel.name + "' has " +
                                                     std::to_string(kernel.roles.size()) + " parameters, the task " +
                                                     std::to_string(operands.size()) + " operands");
  for (const py::handle& operand : operands) task.operands.push_back(read_region(operand, table.tensors, what));
  if (item.size() > 3) task.keys = as<std::map<std::string, int64_t>>(item[3], what + ".keys");
  if (item.size() > 4) task.after = as<std::vector<int64_t>>(item[4], what + ".after");
  task.numbers.push_back(item.size() > 5 ? as<int64_t>(item[5], what + ".trips") : 0);
  expect(task.numbers[0] >= 0, what + ": trips are negative");
  expect(task.numbers[0] == 0 || kernel.cost_of, what + ": kernel '" + kernel.name + "' has no per_trip");
  for (const int64_t id : task.after) {
    expect(id >= 0 && id < created, what + ": after names task " + std::to_string(id) + ", which is no earlier one");
  }
  return task;
}

// Scopes and loops close in order, and parts are in scopes.
class Nesting {
 public:
  void mark(TableMark mark, const std::string& what) {
    if (mark == TableMark::Scope || mark == TableMark::Loop) return open_.push_back(mark);
    const bool loop = mark == TableMark::Iteration || mark == TableMark::EndLoop;
    expect(!open_.empty() && (open_.back() == TableMark::Loop) == loop,
           what + ": there is no open " + (loop ? "loop" : "scope"));
    if (mark == TableMark::End || mark == TableMark::EndLoop) open_.pop_back();
  }
  void check_end(const std::string& what) const {
    if (open_.empty()) return;
    throw py::value_error(what +
                          (open_.back() == TableMark::Loop ? ": a loop is not closed" : ": a scope is not closed"));
  }

 private:
  std::vector<TableMark> open_;
};

TableMark read_mark(const std::string& kind, bool in_process, const std::string& what) {
  if (!in_process) {
    return one_of<TableMark>(what, kind,
                             {{"scope", TableMark::Scope}, {"part", TableMark::Part}, {"end", TableMark::End}});
  }
  return one_of<TableMark>(what, kind,
                           {{"scope", TableMark::Scope},
                            {"part", TableMark::Part},
                            {"end", TableMark::End},
                            {"loop", TableMark::Loop},
                            {"iteration", TableMark::Iteration},
                            {"endloop", TableMark::EndLoop}});
}

TableLine read_line(const py::tuple& item, const Table& table, int64_t created, bool in_process, Nesting& nesting,
                    const std::string& what) {
  expect(!item.empty(), what + ": expected a kind of line");
  const auto kind = as<std::string>(item[0], what);
  if (kind == "task") return read_task(item, table, created, what);
  if (kind == "read") {
    expect(item.size() == 2, what + ": expected (\"read\", region)");
    return read_region(item[1], table.tensors, what);
  }
  const auto mark = read_mark(kind, in_process, what);
  nesting.mark(mark, what);
  return mark;
}

// ("send", channel), ("receive", channel) or ("done", channel).
std::optional<pto_channel_call> read_call(const py::tuple& item, size_t channels, const std::string& what) {
  const std::map<std::string, pto_channel_kind> kinds = {
      {"send", PTO_SEND}, {"receive", PTO_RECEIVE}, {"done", PTO_DONE}};
  if (item.size() != 2) return std::nullopt;
  const auto kind = kinds.find(as<std::string>(item[0], what));
  if (kind == kinds.end()) return std::nullopt;
  pto_channel_call call{};
  call.kind = static_cast<uint8_t>(kind->second);
  call.channel = as<uint32_t>(item[1], what + ".channel");
  expect(call.channel < channels, what + ": there is no channel " + std::to_string(call.channel));
  call.location = "the table";
  return call;
}

// A process has one body at a time.
void note_call(const pto_channel_call& call, TablePipeline::Process& process, int64_t& body, const std::string& what) {
  expect(call.kind != PTO_RECEIVE || body < 0, what + ": the token before is not done");
  expect(call.kind != PTO_DONE || body == call.channel, what + ": no token of the channel is being worked on");
  if (call.kind != PTO_SEND) body = call.kind == PTO_RECEIVE ? int64_t{call.channel} : -1;
  std::vector<uint32_t>& channels = call.kind == PTO_SEND ? process.sends : process.receives;
  if (std::find(channels.begin(), channels.end(), call.channel) == channels.end()) channels.push_back(call.channel);
}

TablePipeline::Process read_process(const py::list& lines, const Table& table, size_t channels,
                                    const std::string& what) {
  TablePipeline::Process process;
  Nesting nesting;
  int64_t body = -1;
  for (const py::handle& item : lines) {
    const std::string here = what + "[" + std::to_string(process.lines.size()) + "]";
    const auto line = as<py::tuple>(item, here);
    if (const auto call = read_call(line, channels, here)) {
      note_call(*call, process, body, here);
      process.lines.emplace_back(*call);
    } else {
      process.lines.push_back(read_line(line, table, 0, true, nesting, here));
    }
  }
  nesting.check_end(what);
  expect(body < 0, what + ": a token is not done");
  return process;
}

int64_t count_tasks(const TableLine& line) {
  const auto* pipeline = std::get_if<std::shared_ptr<TablePipeline>>(&line);
  if (pipeline == nullptr) return std::holds_alternative<TableTask>(line) ? 1 : 0;
  int64_t tasks = 0;
  for (const TablePipeline::Process& process : (*pipeline)->processes) {
    for (const TableLine& inner : process.lines) tasks += count_tasks(inner);
  }
  return tasks;
}

std::shared_ptr<TablePipeline> read_pipeline(const py::tuple& item, const Table& table, const std::string& what) {
  expect(item.size() == 3, what + ": expected (\"pipeline\", depths, processes)");
  auto pipeline = std::make_shared<TablePipeline>();
  pipeline->depths = as<std::vector<int64_t>>(item[1], what + ".depths");
  for (const int64_t depth : pipeline->depths) expect(depth >= 0, what + ": a depth is negative");
  for (const py::handle& lines : as<py::list>(item[2], what + ".processes")) {
    pipeline->processes.push_back(
        read_process(as<py::list>(lines, what), table, pipeline->depths.size(),
                     what + ".processes[" + std::to_string(pipeline->processes.size()) + "]"));
  }
  for (uint32_t channel = 0; channel < pipeline->depths.size(); ++channel) {
    const auto has = [channel](const std::vector<uint32_t>& channels) {
      return std::find(channels.begin(), channels.end(), channel) != channels.end();
    };
    const auto& processes = pipeline->processes;
    expect(std::any_of(processes.begin(), processes.end(), [&](const auto& p) { return has(p.sends); }) &&
               std::any_of(processes.begin(), processes.end(), [&](const auto& p) { return has(p.receives); }),
           what + ": channel " + std::to_string(channel) + " needs a sender and a receiver");
  }
  return pipeline;
}

void submit(pto::TaskSink& sink, const TableTask& line, const std::vector<std::string>& names) {
  std::vector<int64_t> keys;
  for (const std::string& name : names) keys.push_back(line.keys.at(name));
  pto_task task{};
  task.kernel = line.kernel;
  task.operands = line.operands.data();
  task.after_count = static_cast<uint32_t>(line.after.size());
  task.after = line.after.data();
  task.keys = keys.data();
  task.numbers = line.numbers.data();
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
    case TableMark::Loop:
      return sink.loop_begin();
    case TableMark::Iteration:
      return sink.iteration();
    case TableMark::EndLoop:
      return sink.loop_end();
  }
}

}  // namespace

void Table::run(pto::TaskSink& sink) {
  for (const TableLine& line : program) run_line(sink, line);
}

void Table::run_line(pto::TaskSink& sink, const TableLine& line) const {
  if (const auto* task = std::get_if<TableTask>(&line)) {
    submit(sink, *task, keys);
  } else if (const auto* region = std::get_if<pto_region>(&line)) {
    sink.read(*region);
  } else if (const auto* pipeline = std::get_if<std::shared_ptr<TablePipeline>>(&line)) {
    run_pipeline(sink, **pipeline);
  } else {
    mark(sink, std::get<TableMark>(line));
  }
}

// The lines of a process up to its next call.
struct TableProcess {
  const Table& table;
  pto::TaskSink& sink;
  const std::vector<TableLine>& lines;
  size_t next = 0;
  pto_channel_call call{};

  static pto_channel_call* resume(void* frame) { return static_cast<TableProcess*>(frame)->go_on(); }
  pto_channel_call* go_on() {
    if (call.kind == PTO_RECEIVE && call.received == 0) {
      throw pto::ExecutionError("the table: nobody sends the token that a process receives from channel " +
                                std::to_string(call.channel));
    }
    for (; next < lines.size(); ++next) {
      if (const auto* wanted = std::get_if<pto_channel_call>(&lines[next])) {
        ++next;
        return &(call = *wanted);
      }
      table.run_line(sink, lines[next]);
    }
    return nullptr;
  }
};

void Table::run_pipeline(pto::TaskSink& sink, const TablePipeline& pipeline) const {
  std::vector<pto_channel> channels;
  for (const int64_t depth : pipeline.depths) channels.push_back({"channel", "the table", depth, 0});
  std::vector<TableProcess> frames;
  for (const TablePipeline::Process& process : pipeline.processes) frames.push_back({*this, sink, process.lines});
  std::vector<pto_process> processes;
  for (size_t i = 0; i < frames.size(); ++i) {
    const auto& [lines, sends, receives] = pipeline.processes[i];
    processes.push_back({"process", "the table", static_cast<uint32_t>(sends.size()),
                         static_cast<uint32_t>(receives.size()), sends.data(), receives.data(), &frames[i],
                         TableProcess::resume});
  }
  const pto_pipeline described = {"the table", static_cast<uint32_t>(channels.size()), channels.data(),
                                  static_cast<uint32_t>(processes.size()), processes.data()};
  pto::run_pipeline(described, sink);
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
  fields.read("l2_bytes", machine.l2_bytes);
  fields.read("l2_cycles", machine.l2_cycles);
  fields.read("l2_capacity", machine.l2_capacity);
  machine.costs = read_costs(fields.section("costs"));
  fields.refuse_others();
  return machine;
}

Table read_table(const py::list& kernels, const py::list& tensors, const py::list& program) {
  Table table;
  for (const py::handle& item : kernels) table.kernels.push_back(read_kernel(item, table.kernels.size()));
  for (const py::handle& item : tensors) table.tensors.push_back(read_tensor(item, table.tensors.size()));
  Nesting nesting;
  int64_t created = 0;
  for (const py::handle& item : program) {
    const std::string what = "program[" + std::to_string(table.program.size()) + "]";
    const auto line = as<py::tuple>(item, what);
    if (!line.empty() && as<std::string>(line[0], what) == "pipeline") {
      table.program.emplace_back(read_pipeline(line, table, what));
    } else {
      table.program.push_back(read_line(line, table, created, false, nesting, what));
    }
    created += count_tasks(table.program.back());
  }
  nesting.check_end("program");
  return table;
}

namespace {

void check_keys(const std::vector<TableLine>& lines, const std::vector<std::string>& keys, const std::string& what) {
  for (size_t i = 0; i < lines.size(); ++i) {
    const std::string here = what + "[" + std::to_string(i) + "]";
    if (const auto* pipeline = std::get_if<std::shared_ptr<TablePipeline>>(&lines[i])) {
      for (const TablePipeline::Process& process : (*pipeline)->processes) check_keys(process.lines, keys, here);
    }
    const auto* task = std::get_if<TableTask>(&lines[i]);
    if (task == nullptr) continue;
    for (const std::string& name : keys) {
      expect(task->keys.contains(name), here + ": the schedule needs the key '" + name + "'");
    }
  }
}

}  // namespace

void check_keys(const Table& table) { check_keys(table.program, table.keys, "program"); }
