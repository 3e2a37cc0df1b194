// Is every conflicting pair of accesses ordered, whatever the timing? (docs/analysis.md)
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "pto/config.h"
#include "pto/source.h"
#include "pto/stats.h"

namespace pto {

struct CheckedAccess {
  int64_t task = 0;
  uint32_t site = 0, kernel = 0, parameter = 0;
  pto_region region{};
  std::vector<int64_t> axes;
  std::string loc, text;  // "moe.py:33", "expert(token=3) writes y[0:16, 0:64]"; filled by describe()
};

// Pairs of accesses from the same two launches and parameters: the first one, and how many there are.
struct Finding {
  CheckedAccess earlier, later;
  EdgeKind kind = EdgeKind::Raw;
  int64_t count = 0;
};

struct CheckReport {
  int64_t tasks = 0;
  int64_t edges = 0;                      // that the schedule gives, without structural ones
  int64_t pairs = 0;                      // of tasks in conflict that had to be ordered
  std::vector<Finding> races;             // pairs that no path of edges orders
  std::vector<Finding> partial_overlaps;  // that exact matching does not see
  std::vector<Finding> needless;          // inferred edges that a path of other edges implies
};

// Takes a program's tasks, like a simulation, and looks at their order alone.
class RaceCheck final : public TaskSink {
 public:
  // Once `stop` is true every call throws Stopped.
  RaceCheck(const Schedule& schedule, std::span<const KernelInfo> kernels, std::span<const TensorInfo> tensors,
            std::span<const pto_site> sites, const std::atomic<bool>& stop);
  ~RaceCheck() override;

  int64_t submit(const pto_task& task) override;
  void read(const pto_region& region) override;
  void scope_begin() override;
  void part() override;
  void scope_end() override;
  void processes_begin(uint32_t count) override;
  void process(uint32_t number) override;
  void processes_end() override;
  void loop_begin() override;
  void iteration() override;
  void loop_end() override;
  void mark(uint32_t event) override;
  void wait(uint32_t event, ProcessWait why) override;
  void forget(uint32_t event) override;

  CheckReport finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Fills in what the findings are called in the program.
void describe(CheckReport& report, const pto_program& program);
// For people: what was proven, and each finding with both lines, both regions and what to change.
std::string check_text(const CheckReport& report);

}  // namespace pto
