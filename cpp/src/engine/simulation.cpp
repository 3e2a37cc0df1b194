#include "pto/simulation.h"

#include <algorithm>
#include <array>
#include <bit>
#include <exception>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "deps/task_edges.h"
#include "engine/cost_records.h"
#include "engine/cycle_loop.h"
#include "engine/homes.h"
#include "engine/record_stream.h"
#include "engine/records.h"
#include "engine/task_fields.h"
#include "memory/shared_memory.h"
#include "pto/error.h"

namespace pto {
namespace {

std::vector<uint8_t> axis_counts(std::span<const pto_site> sites) {
  std::vector<uint8_t> counts;
  for (const pto_site& site : sites) counts.push_back(static_cast<uint8_t>(site.axis_count));
  return counts;
}

void check_kernel(const KernelInfo& kernel, const Topology& topology) {
  const auto serves = [&kernel](const Pool& pool) { return pool.owners[kernel.unit] > 0; };
  if (std::any_of(topology.pools.begin(), topology.pools.end(), serves)) return;
  const std::string unit = kernel.unit == PTO_CUBE ? "cube" : "vector";
  throw ScheduleError("kernel '" + kernel.name + "' needs a " + unit + " core, and no pool has one: raise `cores." +
                      unit + "`, or a pool's share of it");
}

}  // namespace

void check_schedule(const MachineConfig& machine, const Schedule& schedule, std::span<const KernelInfo> kernels) {
  const Topology topology(machine, schedule);
  const FieldReader fields(schedule, topology, {});
  const Homes homes(machine, schedule, topology);
  for (const KernelInfo& kernel : kernels) check_kernel(kernel, topology);
}

// The caller's side: what depends on the program alone becomes records. The machine runs on thread_.
struct Simulation::Impl {
  Impl(const MachineConfig& machine, const Schedule& schedule, std::span<const KernelInfo> kernels,
       std::span<const TensorInfo> tensors, TraceSink* trace, const std::atomic<bool>& stop,
       std::span<const pto_site> sites)
      : stop_(stop),
        kernels_(kernels.begin(), kernels.end()),
        stream_(stop),
        schedule_(schedule),
        loop_(machine, schedule, kernels_, sites, trace, stream_),
        field_reader_(schedule, loop_.topology(), tensors),
        homes_(machine, schedule, loop_.topology()),
        task_edges_(schedule, tensors),
        cells_(kernels_, tensors),
        costs_(kernels_),
        with_touches_(SharedMemory::has_l2(machine, schedule)),
        axis_counts_(trace == nullptr ? std::vector<uint8_t>() : axis_counts(sites)),
        plain_(plain_kernels()),
        thread_([this] { simulate(); }) {}

  ~Impl() {
    stream_.abandon();
    if (thread_.joinable()) thread_.join();
  }

  void simulate() noexcept {
    try {
      stats_ = loop_.run();
    } catch (...) {
      error_ = std::current_exception();
      stream_.abandon();
    }
  }

  // The most words of a task's record that are neither axes nor edges nor touches.
  static constexpr size_t kMostOwnWords = 8;

  int64_t submit(const pto_task& task);
  void submit_with_particulars(const pto_task& task, RecordHead head, std::span<const uint64_t> edges);
  template <typename Put>
  static void put_task(const pto_task& task, const RecordHead& head, std::span<const uint64_t> own,
                       std::span<const uint64_t> edges, Put put);
  std::vector<uint8_t> plain_kernels() const;
  uint32_t cost_record(const pto_task& task);
  void put_touches(const pto_task& task, uint32_t cost);
  void read(const pto_region& region);
  void structure(RecordKind kind, uint32_t number = 0, ProcessWait why = ProcessWait::Order);
  Stats finish();

  // Runs a step of the caller's side; where the other side has failed, its error is the one that counts.
  template <typename Step>
  void guarded(Step step);
  [[noreturn]] void rethrow();

  const std::atomic<bool>& stop_;
  std::vector<KernelInfo> kernels_;
  RecordStream stream_;
  const Schedule schedule_;
  // What one thread writes all the time shares no cache line with what the other one reads.
  alignas(128) CycleLoop loop_;
  alignas(128) FieldReader field_reader_;
  Homes homes_;
  TaskEdges task_edges_;
  Cells cells_;
  CostRecords costs_;
  const bool with_touches_;
  std::vector<uint8_t> axis_counts_;  // by site; empty where nobody wants the axes
  std::vector<uint8_t> plain_;        // by kernel: of its tasks only axes and edges are to be said
  std::vector<int64_t> writers_;
  int64_t submitted_ = 0;
  alignas(128) Stats stats_;  // of a run that ended; these two belong to thread_ until it is joined
  std::exception_ptr error_;  // what ended it early
  std::thread thread_;
};

template <typename Step>
void Simulation::Impl::guarded(Step step) {
  if (stream_.stopped()) rethrow();
  try {
    step();
  } catch (const Stopped&) {
    rethrow();
  }
}

void Simulation::Impl::rethrow() {
  stream_.abandon();
  if (thread_.joinable()) thread_.join();
  if (error_) std::rethrow_exception(error_);
  throw Stopped();
}

int64_t Simulation::Impl::submit(const pto_task& task) {
  guarded([&] {
    const std::span<const uint64_t> edges = task_edges_.add_task(submitted_, task, kernels_[task.kernel].roles);
    RecordHead head;
    head.kind = RecordKind::Task;
    head.axes = task.site < axis_counts_.size() ? axis_counts_[task.site] : 0;
    head.count = static_cast<uint32_t>(edges.size());
    const size_t words = kMostOwnWords + head.axes + edges.size();
    if (plain_[task.kernel] && words <= RecordStream::kBlockWords) {
      uint64_t* end = stream_.room(words);
      put_task(task, head, {}, edges, [&end](uint64_t word) { *end++ = word; });
      stream_.commit(end);
    } else {
      submit_with_particulars(task, head, edges);
    }
  });
  return submitted_++;
}

void Simulation::Impl::submit_with_particulars(const pto_task& task, RecordHead head, std::span<const uint64_t> edges) {
  const KernelInfo& kernel = kernels_[task.kernel];
  TaskFields fields = field_reader_.read(submitted_, kernel, task, task_edges_.stream());
  const uint32_t cost = kernel.cost_of ? cost_record(task) : task.kernel;
  head.home = static_cast<uint16_t>(homes_.next(kernel, static_cast<int>(fields.pool), task.keys) + 1);
  std::array<uint64_t, kMostOwnWords> own{};
  size_t count = 0;
  if (kernel.cost_of) own[count++] = cost;
  visit_used(schedule_, fields, [&](int64_t field) { own[count++] = static_cast<uint64_t>(field); });
  put_task(task, head, {own.data(), count}, edges, [this](uint64_t word) { stream_.put(word); });
  if (with_touches_) put_touches(task, cost);
}

// All of a task's record but its touches; `own` is what the schedule or its numbers say of it.
template <typename Put>
void Simulation::Impl::put_task(const pto_task& task, const RecordHead& head, std::span<const uint64_t> own,
                                std::span<const uint64_t> edges, Put put) {
  put(head.pack());
  put(uint64_t{task.site} << 32 | task.kernel);
  for (const uint64_t word : own) put(word);
  for (uint8_t i = 0; i < head.axes; ++i) put(static_cast<uint64_t>(task.axes[i]));
  for (const uint64_t edge : edges) put(edge);
}

std::vector<uint8_t> Simulation::Impl::plain_kernels() const {
  std::vector<uint8_t> plain;
  for (const KernelInfo& kernel : kernels_) {
    const Pool& pool = loop_.topology().pools[static_cast<size_t>(loop_.topology().pool_of(kernel.unit))];
    plain.push_back(!field_reader_.any_used() && homes_.are_shared() && pool.owners[kernel.unit] > 0 &&
                    !kernel.cost_of && !with_touches_);
  }
  return plain;
}

// The place of what the task costs; the machine is told of it before the first task that has it.
uint32_t Simulation::Impl::cost_record(const pto_task& task) {
  const size_t known = costs_.size();
  const uint32_t record = costs_.of(task);
  if (record < known) return record;
  RecordHead head;
  head.kind = RecordKind::Cost;
  stream_.put(head.pack());
  for (const uint64_t word : std::bit_cast<CostWords>(costs_[record])) stream_.put(word);
  return record;
}

void Simulation::Impl::put_touches(const pto_task& task, uint32_t cost) {
  const std::vector<Touch>& touches = cells_.touches(task, costs_[cost], costs_.loads(cost));
  stream_.put(touches.size());
  for (const Touch& touch : touches) {
    put_touch(touch, [this](uint64_t word) { stream_.put(word); });
  }
}

void Simulation::Impl::read(const pto_region& region) {
  guarded([&] {
    RecordHead head;
    head.kind = RecordKind::Read;
    head.flag = task_edges_.find_writers(region, submitted_, writers_);
    head.count = static_cast<uint32_t>(writers_.size());
    stream_.put(head.pack());
    for (const int64_t writer : writers_) stream_.put(static_cast<uint64_t>(writer));
  });
}

void Simulation::Impl::structure(RecordKind kind, uint32_t number, ProcessWait why) {
  guarded([&] {
    RecordHead head;
    head.kind = kind;
    head.axes = static_cast<uint8_t>(why);
    head.count = number;
    stream_.put(head.pack());
  });
}

Stats Simulation::Impl::finish() {
  guarded([&] {
    stream_.put(RecordHead{}.pack());
    stream_.flush();
  });
  if (thread_.joinable()) thread_.join();
  if (error_) std::rethrow_exception(error_);
  if (stop_) throw Stopped();
  return std::move(stats_);
}

Simulation::Simulation(MachineConfig machine, Schedule schedule, std::span<const KernelInfo> kernels,
                       std::span<const TensorInfo> tensors, TraceSink* trace, const std::atomic<bool>& stop,
                       std::span<const pto_site> sites)
    : impl_(std::make_unique<Impl>(machine, schedule, kernels, tensors, trace, stop, sites)) {}

Simulation::~Simulation() = default;

int64_t Simulation::submit(const pto_task& task) { return impl_->submit(task); }
void Simulation::read(const pto_region& region) { impl_->read(region); }
void Simulation::scope_begin() { impl_->structure(RecordKind::ScopeBegin); }
void Simulation::part() { impl_->structure(RecordKind::Part); }
void Simulation::scope_end() { impl_->structure(RecordKind::ScopeEnd); }
void Simulation::processes_begin(uint32_t count) { impl_->structure(RecordKind::ProcessesBegin, count); }
void Simulation::process(uint32_t number) { impl_->structure(RecordKind::Process, number); }
void Simulation::processes_end() { impl_->structure(RecordKind::ProcessesEnd); }
void Simulation::loop_begin() { impl_->structure(RecordKind::LoopBegin); }
void Simulation::iteration() { impl_->structure(RecordKind::Iteration); }
void Simulation::loop_end() { impl_->structure(RecordKind::LoopEnd); }
void Simulation::mark(uint32_t event) { impl_->structure(RecordKind::Mark, event); }
void Simulation::wait(uint32_t event, ProcessWait why) { impl_->structure(RecordKind::Wait, event, why); }
void Simulation::forget(uint32_t event) { impl_->structure(RecordKind::Forget, event); }
Stats Simulation::finish() { return impl_->finish(); }

}  // namespace pto
