#include "program/run.h"

#include <algorithm>
#include <chrono>
#include <span>
#include <utility>

#include "exec/describe.h"
#include "exec/numbers.h"
#include "program/alias_check.h"
#include "program/kernel_infos.h"
#include "program/orchestration.h"
#include "pto/dtype.h"
#include "pto/error.h"

namespace pto {
namespace {

std::vector<TensorInfo> tensor_infos(const pto_program& program) {
  std::vector<TensorInfo> infos;
  for (uint32_t i = 0; i < program.tensor_count; ++i) {
    const pto_tensor& tensor = program.tensors[i];
    infos.push_back({tensor.name,
                     dtype_info(tensor.dtype).bytes,
                     {tensor.extent, tensor.extent + tensor.rank},
                     tensor.never_read == 0});
  }
  return infos;
}

const pto_key& find_key(const pto_program& program, const std::string& name) {
  std::string known;
  for (uint32_t i = 0; i < program.key_count; ++i) {
    if (program.keys[i].name == name) return program.keys[i];
    known += (known.empty() ? "" : ", ") + std::string(program.keys[i].name);
  }
  throw ScheduleError("there is no key function `" + name + "` in this program; it has " +
                      (known.empty() ? "none" : known));
}

void check_read(const pto_program& program, const char* location, const pto_region& region) {
  const pto_tensor& tensor = program.tensors[region.tensor];
  if (!tensor.never_read && lies_in(region, tensor)) return;
  const std::string read = std::string(location) + ": the workload's read of '" + tensor.name + "'";
  if (tensor.never_read) throw ExecutionError(read + ": the task program says that there is none (never_read)");
  check_region(region, tensor, read);
}

void check_indices(const pto_program& program, const char* location, const pto_region& region, const int64_t* values) {
  for (int64_t i = 0; i < element_count(region); ++i) {
    if (values[i] > -PTO_INDEX_MAX && values[i] < PTO_INDEX_MAX) continue;
    const pto_tensor& tensor = program.tensors[region.tensor];
    throw ExecutionError(std::string(location) + ": the workload reads " + std::to_string(values[i]) + " from '" +
                         tensor.name + "': expected an index, below 2^40");
  }
}

// The key functions that the schedule names, evaluated for one task after the other.
class Keys {
 public:
  Keys(const pto_program& program, const std::vector<std::string>& names) {
    for (const std::string& name : names) functions_.push_back(find_key(program, name).value);
    values_.resize(functions_.size());
  }
  bool empty() const { return functions_.empty(); }
  const int64_t* of(const pto_task& task) {
    for (size_t i = 0; i < functions_.size(); ++i) values_[i] = functions_[i](created_, &task);
    ++created_;
    return values_.data();
  }

 private:
  std::vector<int64_t (*)(int64_t, const pto_task*)> functions_;
  std::vector<int64_t> values_;
  int64_t created_ = 0;
};

// Virtual time takes the structure of both modes alike.
class OrderedSink : public RunSink {
 public:
  OrderedSink(const pto_program& program, Keys keys, TaskSink& order)
      : program_(program), keys_(std::move(keys)), order_(order), aliases_(program) {
    const auto has_loops = [](const pto_kernel& kernel) { return kernel.loop_count > 0; };
    is_plain_ = keys_.empty() && std::none_of(program.kernels, program.kernels + program.kernel_count, has_loops);
  }
  void scope_begin() override { order_.scope_begin(); }
  void part() override { order_.part(); }
  void scope_end() override { order_.scope_end(); }
  void processes_begin(uint32_t count) override { order_.processes_begin(count); }
  void process(uint32_t number) override { order_.process(number); }
  void processes_end() override { order_.processes_end(); }
  void loop_begin() override { order_.loop_begin(); }
  void iteration() override { order_.iteration(); }
  void loop_end() override { order_.loop_end(); }
  void mark(uint32_t event) override { order_.mark(event); }
  void wait(uint32_t event, ProcessWait why) override { order_.wait(event, why); }
  void forget(uint32_t event) override { order_.forget(event); }

 protected:
  int64_t simulate(const pto_task& task) {
    aliases_.check(task);
    return is_plain_ ? order_.submit(task) : send(task);
  }

  std::string title(const pto_task& task) const {
    return std::string(program_.sites[task.site].location) + ": " + program_.kernels[task.kernel].name;
  }

  const pto_program& program_;
  Keys keys_;
  TaskSink& order_;  // simulates or checks

 private:
  int64_t send(pto_task task) {
    task.keys = keys_.of(task);
    try {
      return order_.submit(task);
    } catch (const MachineError& error) {
      // Loops of its length have no cost.
      throw MachineError(task_title(program_.kernels[task.kernel], program_.sites[task.site], task.axes) + ": " +
                         error.what());
    }
  }

  AliasCheck aliases_;
  bool is_plain_;  // no task has keys or loops of its own length
};

class ExecuteSink final : public OrderedSink {
 public:
  ExecuteSink(const pto_program& program, Keys keys, TaskSink& simulation, Executor& executor)
      : OrderedSink(program, std::move(keys), simulation), executor_(executor) {}

  int64_t submit(const pto_task& task) override {
    executor_.submit(task);
    return simulate(task);
  }
  void read(const char* location, const pto_region& region, int64_t* values) override {
    check_read(program_, location, region);
    executor_.read(region, values);
    check_indices(program_, location, region, values);
    log_.insert(log_.end(), values, values + element_count(region));
    order_.read(region);
  }
  std::vector<int64_t> take_log() { return std::move(log_); }

 private:
  Executor& executor_;
  std::vector<int64_t> log_;
};

class SimulateSink final : public OrderedSink {
 public:
  SimulateSink(const pto_program& program, Keys keys, TaskSink& order, SimulatedValues values)
      : OrderedSink(program, std::move(keys), order), values_(std::move(values)) {
    for (const pto_site& site : std::span(program.sites, program.site_count)) {
      const pto_kernel& kernel = program.kernels[site.kernel];
      checked_.push_back(site.checked || kernel.number_count > 0 || kernel.loop_count > 0);
    }
  }

  int64_t submit(const pto_task& task) override {
    if (checked_[task.site]) check(task);
    values_.note_writes(task);
    return simulate(task);
  }
  void read(const char* location, const pto_region& region, int64_t* values) override {
    check_read(program_, location, region);
    values_.read(location, region, values);
    check_indices(program_, location, region, values);
    order_.read(region);
  }

 private:
  void check(const pto_task& task) const {
    const pto_kernel& kernel = program_.kernels[task.kernel];
    const pto_site& site = program_.sites[task.site];
    check_numbers(kernel, site, task);
    if (!site.checked) return;
    for (uint32_t i = 0; i < kernel.param_count; ++i) {
      check_region(task.operands[i], program_.tensors[task.operands[i].tensor],
                   title(task) + ": parameter '" + kernel.params[i].name + "' ");
    }
  }

  SimulatedValues values_;
  std::vector<uint8_t> checked_;  // by site: its tasks' numbers or regions may be refused
};

// Ends the simulation's thread where a run is left by an exception.
class StopOnError {
 public:
  explicit StopOnError(std::atomic<bool>& stop) : stop_(stop) {}
  ~StopOnError() {
    if (!finished) stop_ = true;
  }
  StopOnError(const StopOnError&) = delete;
  StopOnError& operator=(const StopOnError&) = delete;
  bool finished = false;

 private:
  std::atomic<bool>& stop_;
};

}  // namespace

Run::Impl::Impl(std::shared_ptr<Session::State> state, RunOptions options)
    : state_(std::move(state)), options_(std::move(options)), program_(state_->program->program()) {
  // Opened here, so that whoever owns the file may remove it from now on.
  if (!options_.trace.empty()) trace_.emplace(options_.trace, program_, options_.machine);
  claim_session();
  thread_ = std::thread([this] { main(); });
}

Run::Impl::~Impl() {
  cancel();
  thread_.join();
}

void Run::Impl::claim_session() {
  const std::lock_guard lock(state_->mutex);
  if (state_->running) throw ExecutionError("a run of this program goes on: wait for it before starting another one");
  state_->running = true;
}

void Run::Impl::release_session() {
  const std::lock_guard lock(state_->mutex);
  state_->running = false;
}

bool Run::Impl::wait(int64_t timeout_ms) {
  std::unique_lock lock(mutex_);
  return over_.wait_for(lock, std::chrono::milliseconds(timeout_ms), [this] { return done_; });
}

void Run::Impl::cancel() {
  cancelled_ = true;
  stop_ = true;
  const std::lock_guard lock(executor_mutex_);
  if (executor_) executor_->cancel();
}

RunResult Run::Impl::result() {
  std::unique_lock lock(mutex_);
  over_.wait(lock, [this] { return done_; });
  if (error_) std::rethrow_exception(error_);
  return result_;
}

void Run::Impl::main() {
  const auto begin = std::chrono::steady_clock::now();
  try {
    result_.stats = run_program();
    result_.clock_hz = options_.machine.clock_hz;
    result_.host.run = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  } catch (const Stopped&) {
    error_ = std::make_exception_ptr(ExecutionError("the run was cancelled"));
  } catch (...) {
    error_ = std::current_exception();
  }
  stop_executor();
  release_session();
  const std::lock_guard lock(mutex_);
  done_ = true;
  over_.notify_all();
}

Stats Run::Impl::run_program() {
  const auto kernels = kernel_infos(program_, options_);
  const auto tensors = tensor_infos(program_);
  if (options_.mode == Mode::Check) return check(kernels, tensors);
  Simulation simulation(options_.machine, options_.schedule, kernels, tensors, trace_ ? &*trace_ : nullptr, stop_,
                        {program_.sites, program_.site_count});
  StopOnError guard(stop_);
  Stats stats = options_.mode == Mode::Execute ? execute(simulation) : simulate(simulation);
  guard.finished = true;
  if (trace_) trace_->close();
  return stats;
}

Stats Run::Impl::execute(Simulation& simulation) {
  state_->tensors.prepare();
  start_executor();
  ExecuteSink sink(program_, Keys(program_, options_.schedule.keys), simulation, *executor_);
  orchestrate(program_, options_.symbols, sink);
  Stats stats = simulation.finish();
  executor_->finish();
  state_->set_log(std::make_shared<const ReadLog>(options_.symbols, sink.take_log()));
  return stats;
}

Stats Run::Impl::simulate(Simulation& simulation) {
  send_tasks(simulation);
  return simulation.finish();
}

Stats Run::Impl::check(std::span<const KernelInfo> kernels, std::span<const TensorInfo> tensors) {
  RaceCheck race_check(options_.schedule, kernels, tensors, {program_.sites, program_.site_count}, stop_);
  send_tasks(race_check);
  result_.check = race_check.finish();
  describe(*result_.check, program_);
  Stats stats;
  stats.tasks = result_.check->tasks;
  return stats;
}

// Without values: what the workload reads is replayed or drawn.
void Run::Impl::send_tasks(TaskSink& order) {
  SimulateSink sink(program_, Keys(program_, options_.schedule.keys), order,
                    SimulatedValues(program_, state_->tensors, options_.symbols, state_->log()));
  orchestrate(program_, options_.symbols, sink);
}

void Run::Impl::start_executor() {
  const std::lock_guard lock(executor_mutex_);
  if (cancelled_) throw Stopped();
  executor_.emplace(std::span(program_.kernels, program_.kernel_count), std::span(program_.sites, program_.site_count),
                    state_->tensors.bindings(), options_.threads);
}

void Run::Impl::stop_executor() {
  const std::lock_guard lock(executor_mutex_);
  executor_.reset();
}

Run::Run(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Run::~Run() = default;

bool Run::wait(int64_t timeout_ms) { return impl_->wait(timeout_ms); }

void Run::cancel() { impl_->cancel(); }

RunResult Run::result() { return impl_->result(); }

}  // namespace pto
