// Host threads that run ready tasks. Each has a queue of its own; an idle one takes half of another's.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "exec/task.h"

namespace pto {

class Pool {
 public:
  // `run` is called with the number of the thread, from 0 on, and the task. Threads begin with the first task.
  Pool(int threads, std::function<void(int, Task&)> run);
  // Waits for running bodies; queued tasks are dropped.
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // Queues a ready task: from outside, or from the thread `worker`, which will take its latest one first.
  void push(Task& task);
  void push(int worker, Task& task);

 private:
  struct alignas(64) Queue {
    std::mutex mutex;
    std::deque<Task*> tasks;
  };

  void start();
  void push_to(Queue& queue, Task& task);
  void main(int worker);
  Task* take(int worker);
  Task* take_own(Queue& own);
  Task* take_share(Queue& own, Queue& other);
  void sleep();

  const std::function<void(int, Task&)> run_;
  std::vector<Queue> queues_;  // one per thread; the last one takes what comes from outside
  std::atomic<int64_t> queued_{0};
  std::atomic<int> sleepers_{0};
  std::atomic<bool> stop_{false};
  std::mutex sleep_mutex_;
  std::condition_variable wake_;
  std::vector<std::thread> threads_;
};

}  // namespace pto
