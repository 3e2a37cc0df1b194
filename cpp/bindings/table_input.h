// A table of tasks as Python hands it over: read, checked, and a source of descriptors.
#pragma once

#include <pybind11/pybind11.h>

#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "pto/config.h"
#include "pto/source.h"

struct TableTask {
  uint32_t kernel = 0;
  std::vector<pto_region> operands;
  std::map<std::string, int64_t> keys;  // by key function
  std::vector<int64_t> after;
  std::vector<int64_t> numbers;  // {trips} of a kernel with `per_trip`
};
enum class TableMark { Scope, Part, End, Loop, Iteration, EndLoop };
struct TablePipeline;
// A region: the orchestrator reads it. A channel call: of a line of a process.
using TableLine = std::variant<TableTask, pto_region, TableMark, pto_channel_call, std::shared_ptr<TablePipeline>>;
struct TablePipeline {
  struct Process {
    std::vector<TableLine> lines;
    std::vector<uint32_t> sends, receives;
  };
  std::vector<int64_t> depths;  // of the channels
  std::vector<Process> processes;
};

class Table final : public pto::TaskSource {
 public:
  std::vector<pto::KernelInfo> kernels;
  std::vector<pto::TensorInfo> tensors;
  std::vector<TableLine> program;

  // The key functions whose values tasks hand over, in this order.
  std::vector<std::string> keys;

  void run(pto::TaskSink& sink) override;

 private:
  void run_line(pto::TaskSink& sink, const TableLine& line) const;
  void run_pipeline(pto::TaskSink& sink, const TablePipeline& pipeline) const;
  friend struct TableProcess;
};

// Each throws ValueError for a field that does not exist or has a wrong type or value.
pto::MachineConfig read_machine(const pybind11::dict& fields);
// Besides: for a kernel or tensor that does not exist, a wrong number of operands, a region outside of its tensor,
// an `after` that is no earlier task, scopes and loops that do not close, and channels that nobody sends to or receives
// from.
Table read_table(const pybind11::list& kernels, const pybind11::list& tensors, const pybind11::list& program);
// Each task needs a value of each key function that the schedule uses.
void check_keys(const Table& table);
