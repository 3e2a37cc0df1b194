// Tasks on host threads give the values of a sequential run, whatever the number of threads.
#include <doctest/doctest.h>

#include <array>
#include <condition_variable>
#include <map>
#include <mutex>
#include <random>
#include <vector>

#include "executor_bench.h"
#include "pto/tile_ops.h"

namespace {

using namespace pto::test;
using pto::Executor;

constexpr int kThreadCounts[] = {1, 2, 3, 7};

// ---- Random programs over integer tensors ------------------------------------------------------

// Not commutative, so that every order of two tasks shows: b = 3 b + a + 1, c = 5 a + b.
uint64_t new_b(uint64_t a, uint64_t b) { return 3 * b + a + 1; }
uint64_t new_c(uint64_t a, uint64_t b) { return 5 * a + b; }

template <int64_t Rows, int64_t Cols>
void mix(pto_call* call) {
  auto* a = reinterpret_cast<uint64_t*>(call->scratch);
  auto *b = a + Rows * Cols, *c = b + Rows * Cols;
  call->ops->load(&call->args[0], PTO_I64, 0, 0, Rows, Cols, a);
  call->ops->load(&call->args[1], PTO_I64, 0, 0, Rows, Cols, b);
  // Some tasks take longer, so that threads meet in many ways.
  for (uint64_t i = 0; i < a[0] % 1024; ++i) asm volatile("");
  for (int64_t i = 0; i < Rows * Cols; ++i) {
    c[i] = new_c(a[i], b[i]);
    b[i] = new_b(a[i], b[i]);
  }
  call->ops->store(&call->args[1], PTO_I64, 0, 0, Rows, Cols, b);
  call->ops->store(&call->args[2], PTO_I64, 0, 0, Rows, Cols, c);
}

struct Shape {
  int64_t rows, cols;
  ExecutorBench::Body body;
};
constexpr Shape kShapes[] = {{1, 1, mix<1, 1>}, {2, 3, mix<2, 3>}, {4, 4, mix<4, 4>},
                             {1, 8, mix<1, 8>}, {8, 1, mix<8, 1>}, {6, 9, mix<6, 9>}};

const std::vector<std::vector<int64_t>> kExtents = {{12, 14}, {2, 9, 10}, {9, 3, 1, 9}};

class MixBench : public ExecutorBench {
 public:
  MixBench() {
    for (const auto& extent : kExtents) {
      const char* name = kNames[data.size()];
      data.push_back(add_tensor<uint64_t>(name, PTO_I64, extent, PTO_TEMPORARY));
    }
    for (const Shape& shape : kShapes) {
      const auto param = [&](const char* name, pto_role role) {
        return pto_param{name, static_cast<uint8_t>(role), PTO_I64, shape.rows, shape.cols};
      };
      add_kernel("mix", {param("a", PTO_IN), param("b", PTO_INOUT), param("c", PTO_OUT)}, shape.body);
    }
  }
  size_t count(size_t tensor) const {
    size_t n = 1;
    for (const int64_t extent : kExtents[tensor]) n *= static_cast<size_t>(extent);
    return n;
  }
  std::vector<uint64_t*> data;

 private:
  static constexpr std::array<const char*, 3> kNames = {"t0", "t1", "t2"};
};

struct Call {
  size_t shape;
  std::array<pto_region, 3> operands;
};

// A box whose extents, without those of 1, are those of the shape.
pto_region random_region(std::mt19937& random, const Shape& shape) {
  while (true) {
    const auto tensor = static_cast<uint32_t>(random() % kExtents.size());
    const auto& extents = kExtents[tensor];
    std::vector<int64_t> extent(extents.size(), 1), offset(extents.size());
    size_t d = random() % extents.size();
    bool fits = true;
    for (const int64_t n : {shape.rows, shape.cols}) {
      if (n == 1) continue;
      while (d < extents.size() && extents[d] < n) ++d;
      fits = fits && d < extents.size();
      if (fits) extent[d++] = n;
    }
    if (!fits) continue;
    for (size_t i = 0; i < extents.size(); ++i) {
      offset[i] = static_cast<int64_t>(random() % static_cast<uint64_t>(extents[i] - extent[i] + 1));
    }
    return region(tensor, offset, extent);
  }
}

std::vector<Call> random_program(uint32_t seed, size_t tasks) {
  std::mt19937 random(seed);
  std::vector<Call> program;
  for (size_t i = 0; i < tasks; ++i) {
    const size_t shape = random() % std::size(kShapes);
    const auto operand = [&] { return random_region(random, kShapes[shape]); };
    program.push_back({shape, {operand(), operand(), operand()}});
  }
  return program;
}

// The elements' positions in their tensor, row-major.
std::vector<size_t> elements(const pto_region& box) {
  std::vector<size_t> found = {0};
  for (uint32_t d = 0; d < box.rank; ++d) {
    std::vector<size_t> next;
    for (const size_t base : found) {
      for (int64_t i = 0; i < box.extent[d]; ++i) {
        next.push_back(base * static_cast<size_t>(kExtents[box.tensor][d]) + static_cast<size_t>(box.offset[d] + i));
      }
    }
    found = next;
  }
  return found;
}

using Values = std::vector<std::vector<uint64_t>>;

Values initial_values(const MixBench& bench) {
  Values values;
  for (size_t t = 0; t < kExtents.size(); ++t) {
    values.emplace_back(bench.count(t));
    for (size_t i = 0; i < values[t].size(); ++i) values[t][i] = i * 1000 + t;
  }
  return values;
}

void run_sequentially(const Call& call, Values& values) {
  const auto at = [&](size_t operand) { return elements(call.operands[operand]); };
  const auto gather = [&](size_t operand) {
    std::vector<uint64_t> gathered;
    for (const size_t i : at(operand)) gathered.push_back(values[call.operands[operand].tensor][i]);
    return gathered;
  };
  const auto a = gather(0), b = gather(1);
  const auto at_b = at(1), at_c = at(2);
  for (size_t i = 0; i < a.size(); ++i) values[call.operands[1].tensor][at_b[i]] = new_b(a[i], b[i]);
  for (size_t i = 0; i < a.size(); ++i) values[call.operands[2].tensor][at_c[i]] = new_c(a[i], b[i]);
}

void check_program(uint32_t seed, int threads) {
  CAPTURE(seed);
  CAPTURE(threads);
  MixBench bench;
  Values expected = initial_values(bench);
  for (size_t t = 0; t < expected.size(); ++t) std::copy(expected[t].begin(), expected[t].end(), bench.data[t]);
  std::mt19937 random(seed);
  Executor executor(bench.kernels, bench.sites, bench.tensors, threads);
  int64_t wrong_reads = 0;
  for (const Call& call : random_program(seed, 400)) {
    ExecutorBench::submit(executor, static_cast<uint32_t>(call.shape), 0, {call.operands.begin(), call.operands.end()});
    run_sequentially(call, expected);
    if (random() % 16 != 0) continue;
    const pto_region read = random_region(random, kShapes[call.shape]);
    const auto at = elements(read);
    std::vector<int64_t> values(at.size());
    executor.read(read, values.data());
    for (size_t i = 0; i < at.size(); ++i) {
      wrong_reads += static_cast<uint64_t>(values[i]) != expected[read.tensor][at[i]];
    }
  }
  executor.finish();
  CHECK(wrong_reads == 0);
  for (size_t t = 0; t < expected.size(); ++t) {
    CHECK(std::equal(expected[t].begin(), expected[t].end(), bench.data[t]));
  }
}

// ---- Tasks that wait for each other ------------------------------------------------------------

struct Meeting {
  std::mutex mutex;
  std::condition_variable changed;
  int present = 0;

  // True once `people` tasks are here at the same time.
  bool join(int people) {
    std::unique_lock lock(mutex);
    ++present;
    changed.notify_all();
    return changed.wait_for(lock, std::chrono::seconds(20), [&] { return present >= people; });
  }
};
Meeting* meeting = nullptr;

void meet(pto_call* call) {
  if (!meeting->join(3)) call->error = "alone";
}
void pass(pto_call*) {}

void increment(pto_call* call) { ++*static_cast<int64_t*>(call->args[0].data); }

}  // namespace

TEST_CASE("random programs give the values of a sequential run for 1, 2, 3 and 7 threads") {
  for (const int threads : kThreadCounts) {
    for (uint32_t seed = 0; seed < 12; ++seed) check_program(seed, threads);
  }
}

TEST_CASE("tasks that one task makes ready run at the same time") {
  ExecutorBench bench;
  bench.add_tensor<int64_t>("x", PTO_I64, {4}, PTO_TEMPORARY);
  const uint32_t first = bench.add_kernel("pass", {{"x", PTO_OUT, PTO_I64, 1, 4}}, pass);
  const uint32_t then = bench.add_kernel("meet", {{"x", PTO_INOUT, PTO_I64, 1, 1}}, meet);
  Meeting place;
  meeting = &place;
  Executor executor(bench.kernels, bench.sites, bench.tensors, 3);
  ExecutorBench::submit(executor, first, 0, {region(0, {0}, {4})});
  for (int64_t i = 0; i < 3; ++i) ExecutorBench::submit(executor, then, i, {region(0, {i}, {1})});
  CHECK(failure([&] { executor.finish(); }) == "no error");
}

TEST_CASE("more tasks than the executor remembers, in one chain") {
  ExecutorBench bench;
  const auto* count = bench.add_tensor<int64_t>("count", PTO_I64, {1}, PTO_OUTPUT);
  bench.add_kernel("increment", {{"count", PTO_INOUT, PTO_I64, 1, 1}}, increment);
  Executor executor(bench.kernels, bench.sites, bench.tensors, 2);
  const std::vector<pto_region> operands = {region(0, {0}, {1})};
  for (int64_t i = 0; i < 200'000; ++i) ExecutorBench::submit(executor, 0, i, operands);
  executor.finish();
  CHECK(*count == 200'000);
}

TEST_CASE("an executor can go on after it has finished") {
  ExecutorBench bench;
  const auto* count = bench.add_tensor<int64_t>("count", PTO_I64, {1}, PTO_OUTPUT);
  bench.add_kernel("increment", {{"count", PTO_INOUT, PTO_I64, 1, 1}}, increment);
  Executor executor(bench.kernels, bench.sites, bench.tensors, 2);
  executor.finish();
  for (int64_t round = 1; round <= 3; ++round) {
    ExecutorBench::submit(executor, 0, round, {region(0, {0}, {1})});
    executor.finish();
    CHECK(*count == round);
  }
}
