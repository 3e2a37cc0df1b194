// Every error reaches the caller once, always the same one, and nothing hangs.
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "executor_bench.h"

namespace {

using namespace pto::test;
using pto::Executor;

// A door that bodies wait at.
struct Door {
  std::mutex mutex;
  std::condition_variable changed;
  bool open = false;
  int waiting = 0;

  void pass() {
    std::unique_lock lock(mutex);
    ++waiting;
    changed.notify_all();
    changed.wait_for(lock, std::chrono::seconds(20), [&] { return open; });
  }
  void unlock() {
    const std::lock_guard lock(mutex);
    open = true;
    changed.notify_all();
  }
  void wait_for_visitor() {
    std::unique_lock lock(mutex);
    changed.wait_for(lock, std::chrono::seconds(20), [&] { return waiting > 0; });
  }
};
Door* door = nullptr;
std::atomic<int> bodies_run{0};

void fail_if_negative(pto_call* call) {
  const int64_t value = *static_cast<const int64_t*>(call->args[0].data);
  if (value < 0) call->error = "a negative value";
}
void fail_after_door(pto_call* call) {
  door->pass();
  call->error = "too late";
}
void fail_and_open(pto_call* call) {
  call->error = "too early";
  door->unlock();
}
void pass_door(pto_call*) { door->pass(); }
void count(pto_call*) { ++bodies_run; }

// Tensor x of 8 integers; kernels that take one of them.
class ErrorBench : public ExecutorBench {
 public:
  ErrorBench() {
    x = add_tensor<int64_t>("x", PTO_I64, {8}, PTO_TEMPORARY);
    for (const auto& [name, body] : std::initializer_list<std::pair<const char*, Body>>{{"check", fail_if_negative},
                                                                                        {"late", fail_after_door},
                                                                                        {"early", fail_and_open},
                                                                                        {"wait", pass_door},
                                                                                        {"count", count}}) {
      add_kernel(name, {{"x", PTO_INOUT, PTO_I64, 1, 1}}, body);
    }
    door = &door_;
    bodies_run = 0;
  }
  static void submit_at(Executor& executor, uint32_t kernel, int64_t place) {
    submit(executor, kernel, place, {region(0, {place}, {1})});
  }
  Executor executor(int threads) const { return Executor(kernels, sites, tensors, threads); }

  int64_t* x;

 private:
  Door door_;
};
enum Kernel : uint32_t { kCheck, kLate, kEarly, kWait, kCount };

}  // namespace

TEST_CASE("a body's error names task, axes, place and reason") {
  ErrorBench bench;
  bench.x[5] = -1;
  Executor executor = bench.executor(2);
  for (int64_t i = 0; i < 8; ++i) {
    const std::string found = failure([&] { ErrorBench::submit_at(executor, kCheck, i); });
    CHECK((found == "no error" || found == "task check[i=5] at test.py:1: a negative value"));
  }
  CHECK(failure([&] { executor.finish(); }) == "task check[i=5] at test.py:1: a negative value");
  CHECK(failure([&] { executor.finish(); }) == "task check[i=5] at test.py:1: a negative value");
}

TEST_CASE("the first error in program order is reported, not the first in time") {
  for (const int threads : {2, 3, 7}) {
    ErrorBench bench;
    Executor executor = bench.executor(threads);
    std::string found = failure([&] {
      ErrorBench::submit_at(executor, kLate, 0);
      ErrorBench::submit_at(executor, kEarly, 1);
      ErrorBench::submit_at(executor, kCount, 1);
      executor.finish();
    });
    CHECK(found == "task late[i=0] at test.py:2: too late");
    CHECK(bodies_run == 0);  // it comes after a task that failed
  }
}

TEST_CASE("an error of an earlier task goes before one of the submission") {
  ErrorBench bench;
  Executor executor = bench.executor(2);
  const std::string found = failure([&] {
    ErrorBench::submit_at(executor, kLate, 0);
    std::jthread opener([&] {
      door->wait_for_visitor();
      door->unlock();
    });
    ErrorBench::submit_at(executor, kCount, 8);
  });
  CHECK(found == "task late[i=0] at test.py:2: too late");
}

TEST_CASE("a read of what a failed task should have written gives its error, not a value") {
  ErrorBench bench;
  bench.x[0] = -1;
  Executor executor = bench.executor(2);
  ErrorBench::submit_at(executor, kCheck, 0);
  int64_t value = 0;
  CHECK(failure([&] { executor.read(region(0, {0}, {1}), &value); }) ==
        "task check[i=0] at test.py:1: a negative value");
}

TEST_CASE("a region that leaves its tensor is named with axis, index and extent") {
  ErrorBench bench;
  Executor executor = bench.executor(1);
  const std::string task = "task count[i=3] at test.py:5: parameter 'x' ";
  const auto outside = [&](int64_t offset, int64_t extent) {
    return failure([&] { ErrorBench::submit(executor, kCount, 3, {region(0, {offset}, {extent})}); });
  };
  CHECK(outside(8, 1) == task + "leaves tensor 'x': index 8 of axis 0, which has extent 8 (region [8:9])");
  CHECK(outside(-1, 1) == task + "leaves tensor 'x': index -1 of axis 0, which has extent 8 (region [-1:0])");
  CHECK(outside(6, 4) == task + "leaves tensor 'x': index 9 of axis 0, which has extent 8 (region [6:10])");
  CHECK(outside(INT64_MAX, 2).find("leaves tensor 'x'") != std::string::npos);
  CHECK(outside(0, 2) == task + "is 1 x 1, which tensor 'x'[0:2] is not, unit axes aside");
  ErrorBench::submit_at(executor, kCount, 7);
  executor.finish();
  CHECK(bodies_run == 1);
}

TEST_CASE("a task that cannot have its tensor is refused") {
  ExecutorBench bench;
  bench.add_random("w", PTO_F16, {4}, 1);
  bench.add_without_values("none", PTO_F16, {4});
  bench.add_tensor<uint16_t>("input", PTO_F16, {4}, PTO_INPUT);
  bench.add_random("integers", PTO_I32, {4}, 1);
  const auto kernel = [&](pto_role role, pto_dtype dtype) {
    const uint32_t index =
        bench.add_kernel("k", {{"a", static_cast<uint8_t>(role), static_cast<uint8_t>(dtype), 1, 4}}, [](pto_call*) {});
    return index;
  };
  const uint32_t reads = kernel(PTO_IN, PTO_F16), writes = kernel(PTO_OUT, PTO_F16), wide = kernel(PTO_IN, PTO_F32);
  const uint32_t integers = kernel(PTO_IN, PTO_I32);
  Executor executor(bench.kernels, bench.sites, bench.tensors, 1);
  const auto refusal = [&](uint32_t index, uint32_t tensor) {
    const std::string text = failure([&] { ExecutorBench::submit(executor, index, 0, {region(tensor, {0}, {4})}); });
    return text.substr(text.find("'a' ") + 4);
  };
  CHECK(refusal(writes, 0) == "is written, tensor 'w' is procedural and cannot be");
  CHECK(refusal(reads, 1) == "needs values, tensor 'none' has none: give it data");
  CHECK(refusal(writes, 2) == "is written, tensor 'input' is declared as one that no task writes");
  CHECK(refusal(wide, 2) == "is f32, tensor 'input' is f16");
  CHECK(refusal(integers, 3) == "cannot be used: tensor 'integers' is procedural: expected floats, found i32");
}

TEST_CASE("cancel lets running bodies end, drops the others, and frees whoever waits") {
  for (const int threads : {1, 3}) {
    ErrorBench bench;
    Executor executor = bench.executor(threads);
    ErrorBench::submit_at(executor, kWait, 0);
    for (int64_t i = 0; i < 100; ++i) ErrorBench::submit_at(executor, kCount, 0);
    std::jthread canceller([&] {
      door->wait_for_visitor();
      executor.cancel();
      door->unlock();
    });
    CHECK(failure([&] { executor.finish(); }) == "stopped");
    CHECK(failure([&] { ErrorBench::submit_at(executor, kCount, 0); }) == "stopped");
    int64_t value = 0;
    CHECK(failure([&] { executor.read(region(0, {0}, {1}), &value); }) == "stopped");
    CHECK(bodies_run == 0);
  }
}

TEST_CASE("an executor with work left can be destroyed") {
  ErrorBench bench;
  {
    Executor executor = bench.executor(2);
    ErrorBench::submit_at(executor, kWait, 0);
    for (int64_t i = 0; i < 100; ++i) ErrorBench::submit_at(executor, kCount, 0);
    door->wait_for_visitor();
    executor.cancel();
    door->unlock();
  }
  CHECK(bodies_run == 0);
}
