// A run's thread and what it holds.
#pragma once

#include <atomic>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <thread>

#include "program/session_state.h"
#include "pto/executor.h"
#include "pto/session.h"
#include "pto/simulation.h"
#include "pto/trace.h"

namespace pto {

struct Run::Impl {
  // Throws ExecutionError where another run of the session goes on, or where the trace cannot be written.
  Impl(std::shared_ptr<Session::State> state, RunOptions options);
  ~Impl();

  bool wait(int64_t timeout_ms);
  void cancel();
  RunResult result();

 private:
  void claim_session();
  void release_session();
  void main();
  Stats execute(Simulation& simulation);
  Stats simulate(Simulation& simulation);
  Stats check(std::span<const KernelInfo> kernels, std::span<const TensorInfo> tensors);
  void send_tasks(TaskSink& order);
  Stats run_program();
  void start_executor();
  void stop_executor();

  const std::shared_ptr<Session::State> state_;
  const RunOptions options_;
  const pto_program& program_;
  std::optional<TraceWriter> trace_;
  std::atomic<bool> stop_{false};
  std::atomic<bool> cancelled_{false};
  std::mutex executor_mutex_;  // cancel() may come from any thread, at any time
  std::optional<Executor> executor_;
  std::mutex mutex_;
  std::condition_variable over_;
  bool done_ = false;  // guarded by the mutex; what follows is written before it
  std::exception_ptr error_;
  RunResult result_;
  std::thread thread_;
};

}  // namespace pto
