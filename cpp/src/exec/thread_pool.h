// Host threads that run ready tasks. Each has a queue of its own; an idle one takes half of another's.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "exec/task.h"

namespace pto {

class ThreadPool {
 public:
  // `run` is called with the number of the thread, from 0 on, and the task. Threads begin with the first task.
  ThreadPool(int threads, std::function<void(int, HostTask&)> run);
  // Waits for running bodies; queued tasks are dropped.
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  // Queues ready tasks: from outside, or one from the thread `worker`, which will take its latest one first.
  void push(std::span<HostTask* const> tasks);
  void push(int worker, HostTask& task);

 private:
  struct alignas(64) Queue {
    std::mutex mutex;
    std::deque<HostTask*> tasks;
  };

  void start();
  void wake(size_t tasks);
  void main(int worker);
  HostTask* take(int worker);
  HostTask* take_own(Queue& own);
  HostTask* take_share(Queue& own, Queue& other);
  void sleep();

  const std::function<void(int, HostTask&)> run_;
  std::vector<Queue> queues_;  // one per thread; the last one takes what comes from outside
  std::atomic<int64_t> queued_{0};
  std::atomic<int> sleepers_{0};
  std::atomic<bool> stop_{false};
  std::mutex sleep_mutex_;
  std::condition_variable wake_;
  std::vector<std::thread> threads_;
};

}  // namespace pto
