// A table of tasks as Python hands it over: read, checked, and a source of descriptors.
#pragma once

#include <pybind11/pybind11.h>

#include <optional>
#include <variant>
#include <vector>

#include "pto/config.h"
#include "pto/source.h"

struct TableTask {
  uint32_t kernel = 0;
  std::vector<pto_region> operands;
  std::optional<int64_t> key;
};
enum class TableMark { Scope, Part, End };
using TableLine = std::variant<TableTask, pto_region, TableMark>;  // a region: the orchestrator reads it

class Table final : public pto::TaskSource {
 public:
  std::vector<pto::KernelInfo> kernels;
  std::vector<pto::TensorInfo> tensors;
  std::vector<TableLine> program;

  void run(pto::TaskSink& sink) override;
};

// Each throws ValueError for a field that does not exist or has a wrong type or value.
pto::MachineConfig read_machine(const pybind11::dict& fields);
pto::Schedule read_schedule(const pybind11::dict& fields);
// Besides: for a kernel or tensor that does not exist, a wrong number of operands, a region outside of its tensor,
// and scopes that do not close.
Table read_table(const pybind11::list& kernels, const pybind11::list& tensors, const pybind11::list& program);
// A schedule with affinity needs a key for each task.
void check_keys(const Table& table, const pto::Schedule& schedule);
