// Runs a loaded program: with numbers and virtual time side by side, or virtual time alone.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pto/check.h"
#include "pto/config.h"
#include "pto/program.h"
#include "pto/report.h"
#include "pto/source.h"
#include "pto/stats.h"

namespace pto {

// Memory for a tensor: dense, row-major, alive as long as the session uses it.
struct TensorData {
  pto_dtype dtype = PTO_F32;
  std::vector<int64_t> extent;
  void* data = nullptr;
  bool has_values = true;  // false: only room for what tasks write
};

enum class Mode {
  Execute,   // numbers and virtual time
  Simulate,  // virtual time alone
  Check,     // neither: the order of accesses alone (pto/check.h)
};

struct RunOptions {
  Mode mode = Mode::Execute;
  MachineConfig machine;
  Schedule schedule;
  std::vector<KernelCost> costs;             // one per kernel of the program, on this machine
  std::vector<CostFunction> cost_functions;  // the same; empty for a kernel whose tasks all cost the same
  std::vector<int64_t> symbols;              // one per symbol of the program
  int threads = 1;                           // that run kernels; at least 1
  std::filesystem::path trace;               // empty: statistics alone
};

// The values of a program's symbols: those given by name, else their defaults. Throws ExecutionError for a symbol that
// the program does not have, has no value for, or has in another range.
std::vector<int64_t> symbol_values(const pto_program& program, std::span<const std::pair<std::string, int64_t>> given);

struct RunResult {
  Stats stats;
  HostTimes host;
  int64_t clock_hz = 1;              // what a cycle of the stats is
  std::optional<CheckReport> check;  // of Mode::Check; stats have no more than its number of tasks then
};

// A run on a thread of its own.
class Run {
 public:
  struct Impl;
  explicit Run(std::unique_ptr<Impl> impl);
  // Cancels a run that still goes on, and waits for its threads.
  ~Run();

  // True once the run is over, at the latest after `timeout_ms`.
  bool wait(int64_t timeout_ms);
  void cancel();
  // Waits; rethrows what went wrong. A cancelled run throws ExecutionError.
  RunResult result();

 private:
  std::unique_ptr<Impl> impl_;
};

// A program, its tensors and what its last execution read.
class Session {
 public:
  explicit Session(std::shared_ptr<const LoadedProgram> program);
  ~Session();

  const pto_program& program() const;
  // Throws ExecutionError for a tensor that the program does not have, or has with another dtype or shape.
  void bind(const std::string& tensor, const TensorData& data);
  // The memory of a tensor: what was bound, or what an execution has made; null for one that never had any.
  const void* data(const std::string& tensor) const;

  // What goes wrong in a run is thrown by its result(). Throws ExecutionError while another run of this
  // session goes on, and where the trace cannot be written.
  std::unique_ptr<Run> start(const RunOptions& options);
  // From now on simulations see the data that `other` read when it was executed last. Both programs must come from
  // one workload: throws ExecutionError where `other` has not been executed.
  void replay(const Session& other);

 private:
  struct State;
  friend struct Run::Impl;
  std::shared_ptr<State> state_;
};

}  // namespace pto
