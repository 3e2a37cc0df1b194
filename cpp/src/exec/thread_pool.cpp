#include "exec/thread_pool.h"

#include <algorithm>
#include <utility>

namespace pto {
namespace {

constexpr int kYields = 64;

}  // namespace

ThreadPool::ThreadPool(int threads, std::function<void(int, HostTask&)> run)
    : run_(std::move(run)), queues_(static_cast<size_t>(threads) + 1) {}

void ThreadPool::start() {
  for (size_t worker = 0; worker + 1 < queues_.size(); ++worker) {
    threads_.emplace_back([this, worker] { main(static_cast<int>(worker)); });
  }
}

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard lock(sleep_mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void ThreadPool::push(std::span<HostTask* const> tasks) {
  if (threads_.empty()) start();
  {
    const std::lock_guard lock(queues_.back().mutex);
    queues_.back().tasks.insert(queues_.back().tasks.end(), tasks.begin(), tasks.end());
  }
  queued_ += static_cast<int64_t>(tasks.size());
  wake(tasks.size());
}

void ThreadPool::push(int worker, HostTask& task) {
  Queue& own = queues_[static_cast<size_t>(worker)];
  bool is_next = false;
  {
    const std::lock_guard lock(own.mutex);
    is_next = own.tasks.empty();
    own.tasks.push_back(&task);
  }
  ++queued_;
  if (!is_next) wake(1);  // what the thread takes next itself is no reason to wake another
}

// A thread that falls asleep counts itself before it looks at `queued_`: one of the two sees the other.
void ThreadPool::wake(size_t tasks) {
  if (sleepers_ == 0) return;
  const std::lock_guard lock(sleep_mutex_);
  if (tasks == 1) {
    wake_.notify_one();
  } else {
    wake_.notify_all();
  }
}

void ThreadPool::main(int worker) {
  while (!stop_) {
    if (HostTask* task = take(worker)) {
      run_(worker, *task);
    } else {
      sleep();
    }
  }
}

HostTask* ThreadPool::take(int worker) {
  Queue& own = queues_[static_cast<size_t>(worker)];
  if (HostTask* task = take_own(own)) return task;
  // What comes from outside goes first: it is the oldest, and nobody is robbed without need.
  const size_t count = queues_.size();
  if (HostTask* task = take_share(own, queues_.back())) return task;
  for (size_t step = 1; step < count; ++step) {
    Queue& other = queues_[(static_cast<size_t>(worker) + step) % count];
    if (&other == &own) continue;
    if (HostTask* task = take_share(own, other)) return task;
  }
  return nullptr;
}

HostTask* ThreadPool::take_own(Queue& own) {
  const std::lock_guard lock(own.mutex);
  if (own.tasks.empty()) return nullptr;
  HostTask* task = own.tasks.back();
  own.tasks.pop_back();
  --queued_;
  return task;
}

// Runs the oldest task of the other queue; a share of those behind it moves along, so that short tasks do not all
// meet at one lock.
HostTask* ThreadPool::take_share(Queue& own, Queue& other) {
  constexpr size_t kMost = 32;
  const std::scoped_lock lock(own.mutex, other.mutex);
  if (other.tasks.empty()) return nullptr;
  const size_t threads = queues_.size() - 1;
  const size_t share = std::clamp<size_t>(other.tasks.size() / (2 * threads), 1, kMost);
  // The own queue is served from its back: the oldest goes there last.
  for (size_t i = share; i-- > 1;) own.tasks.push_back(other.tasks[i]);
  HostTask* task = other.tasks.front();
  other.tasks.erase(other.tasks.begin(), other.tasks.begin() + static_cast<std::ptrdiff_t>(share));
  --queued_;
  return task;
}

void ThreadPool::sleep() {
  // The next tasks are mostly about to come: to fall asleep and be woken takes longer than a short task.
  for (int i = 0; i < kYields; ++i) {
    if (queued_ > 0 || stop_) return;
    std::this_thread::yield();
  }
  std::unique_lock lock(sleep_mutex_);
  ++sleepers_;
  wake_.wait(lock, [this] { return queued_ > 0 || stop_; });
  --sleepers_;
}

}  // namespace pto
