#include "pto/executor.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <limits>
#include <mutex>
#include <new>
#include <optional>
#include <ranges>
#include <string>

#include "deps/overlap_tracker.h"
#include "deps/written_set.h"
#include "exec/debug.h"
#include "exec/describe.h"
#include "exec/numbers.h"
#include "exec/operands.h"
#include "exec/task.h"
#include "exec/thread_pool.h"
#include "exec/widen.h"
#include "pto/dtype.h"
#include "pto/error.h"
#include "pto/tile_ops.h"

namespace pto {
namespace {

constexpr int64_t kNoError = std::numeric_limits<int64_t>::max();
// Tasks between the oldest unfinished one and the newest.
constexpr int64_t kWindow = 8192;
// A submission that finds the window full waits for this many tasks at once, and so rarely.
constexpr int64_t kBatch = kWindow / 8;
constexpr size_t kPublished = 64;

bool is_written(const pto_tensor& tensor) { return tensor.role == PTO_OUTPUT || tensor.role == PTO_TEMPORARY; }

std::vector<std::vector<int64_t>> extents_of(std::span<const TensorBinding> tensors) {
  std::vector<std::vector<int64_t>> extents;
  for (const TensorBinding& t : tensors) extents.emplace_back(t.info.extent, t.info.extent + t.info.rank);
  return extents;
}

std::vector<TensorInfo> tensor_infos(std::span<const TensorBinding> tensors) {
  std::vector<TensorInfo> infos;
  for (const TensorBinding& tensor : tensors) {
    const pto_tensor& info = tensor.info;
    infos.push_back(
        {info.name, dtype_info(info.dtype).bytes, {info.extent, info.extent + info.rank}, info.never_read == 0});
  }
  return infos;
}

// The task whose body prints.
struct DebugRun {
  const pto_kernel& kernel;
  const pto_site& site;
  const HostTask& task;
};

void debug(void* self, const char* location, const char* name, uint8_t dtype, int64_t rows, int64_t cols,
           const void* value) {
  const auto& run = *static_cast<const DebugRun*>(self);
  const std::string task =
      "task " + std::to_string(run.task.id) + " " + task_name(run.kernel, run.site, run.task.axes.data());
  print_debug(debug_text(location, name, dtype, rows, cols, value, task));
}

// What a host thread keeps from task to task.
class Bench {
 public:
  explicit Bench(size_t scratch_bytes)
      : scratch_(static_cast<char*>(::operator new[](std::max<size_t>(scratch_bytes, 1), kAlignment))) {}

  // `run` stays with the task's body, which may print.
  pto_call call(const HostTask& task, DebugRun& run) {
    return {&tile_ops(), worker_.get(), task.args.data(),   scratch_.get(), nullptr, 0, 0,
            debug,       &run,          task.numbers.data()};
  }

 private:
  static constexpr std::align_val_t kAlignment{64};
  struct Free {
    void operator()(char* memory) const { ::operator delete[](memory, kAlignment); }
  };
  TileWorker worker_;
  std::unique_ptr<char[], Free> scratch_;
};

size_t largest_scratch(std::span<const pto_kernel> kernels) {
  int64_t bytes = 0;
  for (const pto_kernel& kernel : kernels) bytes = std::max(bytes, kernel.scratch_bytes);
  return static_cast<size_t>(bytes);
}

}  // namespace

// One thread submits and reads; the pool's threads run. A task's slot is its id modulo the window.
struct Executor::Impl {
 public:
  Impl(std::span<const pto_kernel> kernels, std::span<const pto_site> sites, std::span<const TensorBinding> tensors,
       int threads)
      : kernels_(kernels),
        sites_(sites),
        tensors_(tensors),
        tiles_(tensors),
        tracker_(tensor_infos(tensors), kWindow),
        written_(extents_of(tensors)),
        successors_(static_cast<size_t>(threads)),
        benches_(static_cast<size_t>(threads)),
        pool_(threads, [this](int worker, HostTask& task) { run(worker, task); }) {}

  void submit(const pto_task& task) {
    check_running();
    try {
      check_numbers(kernels_[task.kernel], sites_[task.site], task);
      tiles_.build(kernels_[task.kernel], sites_[task.site], task, built_);
      check_writes(task);
      check_reads(task);
    } catch (const ExecutionError&) {
      wait_for_all();
      check_running();  // an earlier task's error goes first
      throw;
    }
    make_room();
    HostTask& slot = prepare(task);
    add_edges(slot, task);
    ++next_id_;
    if (--slot.waiting == 0) ready_.push_back(&slot);
    if (ready_.size() >= kPublished) publish();
  }

  void read(const pto_region& region, int64_t* values) {
    check_running();
    try {
      const TensorBinding& tensor = tensors_[region.tensor];
      check_inside(region, tensor.info, tensor_title(tensor.info) + ": the region that the workload reads");
      if (!has_values(region)) {
        throw ExecutionError(tensor_title(tensor.info) + ": the workload reads " + box_text(region) +
                             ", where no task has written: write it before, or give the tensor data");
      }
      wait_for_writers(region);
      check_running();
      widen_region(tiles_, tensor, region, values);
    } catch (const ExecutionError&) {
      wait_for_all();
      check_running();
      throw;
    }
  }

  void finish() {
    wait_for_all();
    check_running();
  }

  void cancel() { cancelled_ = true; }

 private:
  // Throws where the run is over. All tasks before the first that failed have been submitted, so that waiting for
  // them settles which one it is.
  void check_running() {
    if (cancelled_) throw Stopped();
    if (first_error_ == kNoError) return;
    wait_for_all();
    if (cancelled_) throw Stopped();
    const std::lock_guard lock(error_mutex_);
    throw ExecutionError(error_text_);
  }

  void check_writes(const pto_task& task) const {
    const pto_kernel& kernel = kernels_[task.kernel];
    for (uint32_t i = 0; i < kernel.param_count; ++i) {
      const pto_tensor& tensor = tensors_[task.operands[i].tensor].info;
      if (kernel.params[i].role == PTO_IN || is_written(tensor)) continue;
      throw ExecutionError(task_title(kernel, sites_[task.site], task.axes) + ": parameter '" + kernel.params[i].name +
                           "' is written, tensor '" + tensor.name + "' is declared as one that no task writes");
    }
  }

  // What a task reads has been written before, unless its tensor was given values.
  void check_reads(const pto_task& task) {
    const pto_kernel& kernel = kernels_[task.kernel];
    for (uint32_t i = 0; i < kernel.param_count; ++i) {
      const pto_region& region = task.operands[i];
      if (kernel.params[i].role == PTO_OUT || has_values(region)) continue;
      throw ExecutionError(task_title(kernel, sites_[task.site], task.axes) + ": parameter '" + kernel.params[i].name +
                           "' reads tensor '" + tensors_[region.tensor].info.name + "'" + box_text(region) +
                           ", where no task has written: write it before, or give the tensor data");
    }
    for (uint32_t i = 0; i < kernel.param_count; ++i) {
      const pto_region& region = task.operands[i];
      if (kernel.params[i].role == PTO_IN || tensors_[region.tensor].has_values) continue;
      if (const Box box = box_of(region); !is_empty(box)) written_.add(box);
    }
  }

  bool has_values(const pto_region& region) const {
    const Box box = box_of(region);
    return tensors_[region.tensor].has_values || is_empty(box) || written_.covers(box);
  }

  // Ready tasks go to the pool by the dozen: short ones would else cost more in locks and wake-ups than in work.
  void publish() {
    if (!ready_.empty()) pool_.push(ready_);
    ready_.clear();
  }

  // The next task's slot is free from here on.
  void make_room() {
    if (next_id_ < kWindow || slot_of(next_id_).done) return;
    const int64_t oldest = next_id_ - kWindow;
    wait_for(std::views::iota(oldest, oldest + kBatch));
  }

  HostTask& slot_of(int64_t id) { return slots_[static_cast<size_t>(id % kWindow)]; }

  HostTask& prepare(const pto_task& task) {
    if (next_id_ < kWindow) slots_.emplace_back();
    HostTask& slot = slot_of(next_id_);
    const std::lock_guard lock(slot.lock);
    slot.id = next_id_;
    slot.kernel = task.kernel;
    slot.site = task.site;
    slot.axes.assign(task.axes, task.axes + sites_[task.site].axis_count);
    slot.numbers.assign(task.numbers, task.numbers + kernels_[task.kernel].number_count);
    slot.args.swap(built_);
    slot.waiting = 1;
    slot.done = false;
    return slot;
  }

  // Tensors that no task writes need no order.
  void add_edges(HostTask& slot, const pto_task& task) {
    const pto_kernel& kernel = kernels_[task.kernel];
    regions_.clear();
    roles_.clear();
    for (uint32_t i = 0; i < kernel.param_count; ++i) {
      if (!is_written(tensors_[task.operands[i].tensor].info)) continue;
      regions_.push_back(task.operands[i]);
      roles_.push_back(static_cast<pto_role>(kernel.params[i].role));
    }
    tracker_.add_task(slot.id, regions_, roles_, edges_);
    for (const Edge& edge : edges_) add_edge(slot_of(edge.source), slot);
  }

  static void add_edge(HostTask& source, HostTask& target) {
    const std::lock_guard lock(source.lock);
    if (source.done) return;
    ++target.waiting;
    source.successors.push_back(&target);
  }

  void wait_for_writers(const pto_region& region) {
    if (!tracker_.find_writers(region, next_id_, writers_)) return;
    wait_for(writers_);
  }

  void wait_for_all() { wait_for(std::views::iota(std::max<int64_t>(0, next_id_ - kWindow), next_id_)); }

  // Waits for tasks of the window, by a task of no kernel that comes after them.
  template <typename Ids>
  void wait_for(const Ids& ids) {
    publish();
    barrier_.waiting = 1;
    barrier_open_ = false;
    for (const int64_t id : ids) add_edge(slot_of(id), barrier_);
    if (--barrier_.waiting == 0) return;
    std::unique_lock lock(barrier_mutex_);
    barrier_wake_.wait(lock, [this] { return barrier_open_; });
  }

  // ---- On the pool's threads ----

  void run(int worker, HostTask& task) {
    if (!cancelled_ && task.id < first_error_) {
      if (Bench* bench = bench_of(worker)) {
        DebugRun debugged{kernels_[task.kernel], sites_[task.site], task};
        pto_call call = bench->call(task, debugged);
        kernels_[task.kernel].body(&call);
        if (call.error) fail(task, call.error + (call.has_found ? ", found " + std::to_string(call.found) : ""));
      } else {
        fail(task, "the host has no memory for the kernel's scratch: make its tiles smaller, or use fewer threads");
      }
    }
    complete(worker, task);
  }

  // Null where memory is short.
  Bench* bench_of(int worker) {
    std::optional<Bench>& bench = benches_[static_cast<size_t>(worker)];
    try {
      if (!bench) bench.emplace(largest_scratch(kernels_));
    } catch (const std::bad_alloc&) {
      return nullptr;
    }
    return &*bench;
  }

  void fail(const HostTask& task, const std::string& error) {
    const std::lock_guard lock(error_mutex_);
    if (task.id > first_error_) return;
    error_text_ = task_title(kernels_[task.kernel], sites_[task.site], task.axes.data()) + ": " + error;
    first_error_ = task.id;
  }

  // Tasks that are dropped complete like the others, so that nobody waits in vain.
  void complete(int worker, HostTask& task) {
    // Both vectors keep their memory.
    std::vector<HostTask*>& successors = successors_[static_cast<size_t>(worker)].tasks;
    {
      const std::lock_guard lock(task.lock);
      successors.swap(task.successors);
      task.done = true;
    }
    // From here on the slot may be another task's.
    for (HostTask* successor : successors) {
      if (--successor->waiting > 0) continue;
      if (successor == &barrier_) {
        const std::lock_guard lock(barrier_mutex_);
        barrier_open_ = true;
        barrier_wake_.notify_one();
      } else {
        pool_.push(worker, *successor);
      }
    }
    successors.clear();
  }

  const std::span<const pto_kernel> kernels_;
  const std::span<const pto_site> sites_;
  const std::span<const TensorBinding> tensors_;
  const TileBuilder tiles_;

  // The submitting thread's.
  int64_t next_id_ = 0;
  std::deque<HostTask> slots_;
  OverlapTracker tracker_;
  WrittenSet written_;  // of the tensors that were given no values
  std::vector<pto_region> regions_;
  std::vector<pto_role> roles_;
  std::vector<Edge> edges_;
  std::vector<int64_t> writers_;
  std::vector<pto_tile> built_;
  std::vector<HostTask*> ready_;  // not published yet
  HostTask barrier_;

  std::mutex barrier_mutex_;
  std::condition_variable barrier_wake_;
  bool barrier_open_ = false;

  std::atomic<bool> cancelled_{false};
  std::atomic<int64_t> first_error_{kNoError};  // id of the first task known to have failed
  std::mutex error_mutex_;
  std::string error_text_;  // of that task

  struct alignas(64) Successors {
    std::vector<HostTask*> tasks;  // of the task that a thread completes
  };
  std::vector<Successors> successors_;         // one per thread
  std::vector<std::optional<Bench>> benches_;  // one per thread
  ThreadPool pool_;                            // last: its threads use all of the above
};

Executor::Executor(std::span<const pto_kernel> kernels, std::span<const pto_site> sites,
                   std::span<const TensorBinding> tensors, int threads)
    : impl_(std::make_unique<Impl>(kernels, sites, tensors, threads)) {}

Executor::~Executor() { impl_->cancel(); }

void Executor::submit(const pto_task& task) { impl_->submit(task); }

void Executor::read(const pto_region& region, int64_t* values) { impl_->read(region, values); }

void Executor::finish() { impl_->finish(); }

void Executor::cancel() { impl_->cancel(); }

}  // namespace pto
