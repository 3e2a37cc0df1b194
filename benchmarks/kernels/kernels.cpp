// Speed of the numeric routines on one or more host threads, for every instruction set that this machine has:
//   cmake --build build --target bench_kernels && build/cpp/bench_kernels [THREADS]
// A matmul is given as m x k x n; "random" weights are generated while they are packed.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "pto/tile_ops.h"
#include "tile/tables.h"

namespace {

using pto::TileWorker;

struct Case {
  int64_t m, k, n;
  pto_dtype dtype;
  bool random, transposed;
};

// Seconds per run, with every thread doing the same; the best of three.
double seconds(int threads, const std::function<void(TileWorker&)>& body) {
  double best = 1e9;
  std::vector<TileWorker> workers(threads);
  for (TileWorker& worker : workers) body(worker);
  for (int round = 0; round < 3; ++round) {
    int64_t runs = 1;
    for (double time = 0; time < 0.1; runs *= 4) {
      const auto begin = std::chrono::steady_clock::now();
      std::vector<std::jthread> team;
      for (TileWorker& worker : workers) {
        team.emplace_back([&, runs] {
          for (int64_t i = 0; i < runs; ++i) body(worker);
        });
      }
      team.clear();
      time = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
      if (time / runs < best) best = time / runs;
    }
  }
  return best;
}

void measure_matmul(const pto_tile_ops& ops, int threads, const Case& c) {
  const int64_t bytes = c.dtype == PTO_F32 ? 4 : 2;
  std::vector<float> left(c.m * c.k);
  std::vector<char> right(c.random ? 0 : c.k * c.n * bytes);
  pto::fill_random(PTO_F32, pto::random_key(1, "left"), 1, 0, c.m * c.k, left.data());
  if (!c.random) pto::fill_random(c.dtype, pto::random_key(1, "right"), 1, 0, c.k * c.n, right.data());
  const int64_t row = c.transposed ? c.k : c.n;
  const pto_tile tile = {c.random ? nullptr : right.data(), row, 1, 0, pto::random_key(1, "right"), 0.02f};
  const pto_operand a = {left.data(), nullptr, 0, 0, PTO_F32, 0};
  const pto_operand b = {nullptr, &tile, 0, 0, static_cast<uint8_t>(c.dtype), c.transposed};
  const double time = seconds(threads, [&](TileWorker& worker) {
    thread_local std::vector<float> out;
    out.resize(c.m * c.n);
    ops.matmul(worker.get(), c.m, c.k, c.n, &a, &b, nullptr, out.data());
  });
  const char* dtype = c.dtype == PTO_F16 ? "f16" : c.dtype == PTO_BF16 ? "bf16" : "f32";
  std::printf("  matmul %4ldx%ldx%-4ld %-4s %-6s %-10s %8.1f GF/s %7.2f Gelem/s of b\n", c.m, c.k, c.n, dtype,
              c.random ? "random" : "memory", c.transposed ? "transposed" : "", threads * 2e-9 * c.m * c.k * c.n / time,
              threads * 1e-9 * c.k * c.n / time);
}

void measure_rows(const pto_tile_ops& ops, int threads) {
  constexpr int64_t kRows = 8, kCols = 4096;
  const auto report = [&](const char* name, const std::function<void(float*, char*)>& body) {
    const double time = seconds(threads, [&](TileWorker&) {
      thread_local std::vector<float> value(kRows * kCols);
      thread_local std::vector<char> memory(kRows * kCols * 4);
      body(value.data(), memory.data());
    });
    std::printf("  %-40s %8.2f Gelem/s\n", name, threads * 1e-9 * kRows * kCols / time);
  };
  const auto tile = [](char* memory) { return pto_tile{memory, kCols, 1, 0, 1, 0.02f}; };
  report("load f16", [&](float* value, char* memory) {
    const pto_tile box = tile(memory);
    ops.load(&box, PTO_F16, 0, 0, kRows, kCols, value);
  });
  report("load random f16", [&](float* value, char*) {
    const pto_tile box = tile(nullptr);
    ops.load(&box, PTO_F16, 0, 0, kRows, kCols, value);
  });
  report("store f16", [&](float* value, char* memory) {
    const pto_tile box = tile(memory);
    ops.store(&box, PTO_F16, 0, 0, kRows, kCols, value);
  });
  report("row sum", [&](float* value, char* memory) {
    ops.row_reduce(PTO_SUM, kRows, kCols, value, reinterpret_cast<float*>(memory));
  });
  report("row max", [&](float* value, char* memory) {
    ops.row_reduce(PTO_MAX, kRows, kCols, value, reinterpret_cast<float*>(memory));
  });
}

void measure(const char* name, const pto_tile_ops& ops, int threads) {
  std::printf("%s, %d thread%s\n", name, threads, threads == 1 ? "" : "s");
  const Case cases[] = {
      {1, 4096, 1536, PTO_F16, true, false},   {1, 1536, 4096, PTO_F16, true, false},
      {1, 4096, 1536, PTO_BF16, true, false},  {1, 4096, 1536, PTO_F16, false, false},
      {32, 4096, 1536, PTO_F16, true, false},  {32, 4096, 4096, PTO_F16, false, false},
      {256, 4096, 4096, PTO_F16, true, false}, {256, 4096, 4096, PTO_F16, false, false},
      {256, 4096, 192, PTO_F16, true, false},  {256, 512, 256, PTO_F16, false, true},
      {256, 256, 512, PTO_F16, false, false},  {128, 128, 128, PTO_F32, false, false},
      {512, 512, 512, PTO_F32, false, false},
  };
  for (const Case& c : cases) measure_matmul(ops, threads, c);
  measure_rows(ops, threads);
}

}  // namespace

int main(int argc, char** argv) {
  const int threads = argc > 1 ? std::max(1, std::atoi(argv[1])) : 1;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("x86-64-v4")) measure("x86-64-v4", pto::kX86V4Table, threads);
  if (__builtin_cpu_supports("x86-64-v3")) measure("x86-64-v3", pto::kX86V3Table, threads);
  return 0;
#endif
  measure("baseline", pto::kBaselineTable, threads);
}
