// A program as a table: what a test wants to run, without a compiler.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "pto/simulation.h"

namespace pto::test {

// A box of a tensor in a table program.
struct Span {
  uint32_t tensor;
  std::vector<int64_t> offset, extent;
  pto_role role;
};

inline Span in(uint32_t tensor, int64_t first, int64_t count) { return {tensor, {first}, {count}, PTO_IN}; }
inline Span out(uint32_t tensor, int64_t first, int64_t count) { return {tensor, {first}, {count}, PTO_OUT}; }
inline Span inout(uint32_t tensor, int64_t first, int64_t count) { return {tensor, {first}, {count}, PTO_INOUT}; }

inline pto_region region_of(const Span& span) {
  pto_region region{};
  region.tensor = span.tensor;
  region.rank = static_cast<uint32_t>(span.offset.size());
  for (size_t d = 0; d < span.offset.size(); ++d) {
    region.offset[d] = span.offset[d];
    region.extent[d] = span.extent[d];
  }
  return region;
}

// Each task has a kernel of its own, so that every one can have its own cost.
class TableSource final : public TaskSource {
 public:
  TableSource& task(std::vector<Span> operands, KernelCost cost, pto_unit unit = PTO_VECTOR, int64_t key = 0) {
    KernelInfo kernel{"k" + std::to_string(kernels.size()), unit, {}, cost};
    for (const Span& span : operands) kernel.roles.push_back(span.role);
    steps_.push_back({Step::Task, std::move(operands), key, static_cast<uint32_t>(kernels.size())});
    kernels.push_back(std::move(kernel));
    return *this;
  }
  // Duration alone: all of it compute.
  TableSource& task(std::vector<Span> operands, int64_t duration, pto_unit unit = PTO_VECTOR, int64_t key = 0) {
    KernelCost cost;
    cost.compute = duration;
    return task(std::move(operands), cost, unit, key);
  }
  // The last task also waits for these.
  TableSource& after(std::vector<int64_t> ids) {
    steps_.back().after = std::move(ids);
    return *this;
  }
  TableSource& read(const Span& span) { return step(Step::Read, {span}); }
  TableSource& begin() { return step(Step::Begin, {}); }
  TableSource& part() { return step(Step::Part, {}); }
  TableSource& end() { return step(Step::End, {}); }

  void run(TaskSink& sink) override {
    for (const Step& step : steps_) {
      switch (step.kind) {
        case Step::Task:
          submit(sink, step);
          break;
        case Step::Read:
          sink.read(region_of(step.operands[0]));
          break;
        case Step::Begin:
          sink.scope_begin();
          break;
        case Step::Part:
          sink.part();
          break;
        case Step::End:
          sink.scope_end();
          break;
      }
    }
  }

  std::vector<KernelInfo> kernels;
  std::vector<TensorInfo> tensors = std::vector<TensorInfo>(8, TensorInfo{"x", 4, {64}});

 private:
  struct Step {
    enum Kind { Task, Read, Begin, Part, End } kind;
    std::vector<Span> operands;
    int64_t key = 0;
    uint32_t kernel = 0;
    std::vector<int64_t> after = {};
  };
  TableSource& step(Step::Kind kind, std::vector<Span> operands) {
    steps_.push_back({kind, std::move(operands)});
    return *this;
  }
  static void submit(TaskSink& sink, const Step& step) {
    std::vector<pto_region> regions;
    for (const Span& span : step.operands) regions.push_back(region_of(span));
    const int64_t axes[] = {step.kernel};
    sink.submit({step.kernel, 0, axes, regions.data(), static_cast<uint32_t>(step.after.size()), step.after.data(),
                 &step.key, nullptr});
  }
  std::vector<Step> steps_;
};

// A run's rows as text, one a line, in the order in which they came.
class TextTrace final : public TraceSink {
 public:
  void task(const TaskRow& row) override {
    tasks +=
        line(row.task, row.core, row.scheduler, row.submit, row.ready, row.dispatch, row.start, row.end, row.retire);
    bound_by += std::string(row.bound_by) + "\n";
    for (uint32_t i = 0; i < row.axis_count; ++i) axes += std::to_string(row.axes[i]) + "\n";
  }
  void edge(const EdgeRow& row) override {
    edges += std::to_string(row.src) + "->" + std::to_string(row.dst) + " " + edge_name(row.kind) + "\n";
  }
  void stall(const StallRow& row) override {
    stalls.resize(std::max(stalls.size(), static_cast<size_t>(row.core) + 1));
    stalls[static_cast<size_t>(row.core)] +=
        "[" + std::to_string(row.begin) + "," + std::to_string(row.end) + ") " + stall_name(row.cause) + "; ";
  }
  bool operator==(const TextTrace& other) const {
    return tasks == other.tasks && edges == other.edges && stalls == other.stalls && bound_by == other.bound_by;
  }

  std::string tasks, edges, bound_by, axes;
  std::vector<std::string> stalls;  // by core

 private:
  template <typename... Values>
  static std::string line(Values... values) {
    std::string text;
    ((text += std::to_string(values) + " "), ...);
    text.back() = '\n';
    return text;
  }
};

inline Stats simulate(TableSource& source, const MachineConfig& machine, const Schedule& schedule, TraceSink* trace) {
  std::atomic<bool> stop{false};
  const pto_site site{0, "table:1", 1, nullptr, 0};
  Simulation simulation(machine, schedule, source.kernels, source.tensors, trace, stop, {&site, 1});
  source.run(simulation);
  return simulation.finish();
}

// One idle cube core and these vector cores, all costs 0.
inline MachineConfig machine_with(int vector_cores) {
  MachineConfig machine;
  machine.vector_cores = vector_cores;
  return machine;
}

}  // namespace pto::test
