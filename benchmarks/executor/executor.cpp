// How many empty kernels a second the numeric run takes, without simulation:
//   cmake --build build --target bench_executor && build/cpp/bench_executor [TASKS [STREAM]]
// Millions of tasks per second, the best of three, and the CPU time of a task over all threads.
#include "pto/executor.h"

#include <time.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

namespace {

constexpr int64_t kTile = 16;  // elements
constexpr int64_t kWidth = 1000;
constexpr uint32_t kUpdate = 0, kCombine = 1;

double seconds(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

pto_region tile(int64_t index) { return {0, 2, {index, 0}, {1, kTile}}; }

void nothing(pto_call*) {}

// A tensor of tiles, and two kernels that leave it as it is: one updates a tile, the other one reads two and writes
// one.
class Program {
 public:
  explicit Program(int64_t tiles) : data_(static_cast<size_t>(tiles * kTile)) {
    pto_tensor info{};
    info.name = "x";
    info.location = "executor.py:1";
    info.dtype = PTO_F32;
    info.source = PTO_SOURCE_MEMORY;
    info.role = PTO_OUTPUT;
    info.never_read = 1;
    info.rank = 2;
    info.extent[0] = tiles;
    info.extent[1] = kTile;
    tensors_ = {pto::TensorBinding{info, data_.data()}};
  }

  void run(void (*stream)(pto::Executor&, int64_t), int64_t tasks, int threads) const {
    pto::Executor executor(kernels_, sites_, tensors_, threads);
    stream(executor, tasks);
    executor.finish();
  }

 private:
  static constexpr pto_param kTileParam(const char* name, pto_role role) {
    return {name, static_cast<uint8_t>(role), PTO_F32, 1, kTile};
  }
  static pto_kernel kernel(const char* name, uint32_t params, const pto_param* first) {
    return {name, "executor.py:2", PTO_VECTOR, params, first, 0, nullptr, 0, nothing, 0, nullptr, 0, nullptr};
  }

  std::vector<float> data_;
  std::array<pto_param, 1> update_ = {kTileParam("x", PTO_INOUT)};
  std::array<pto_param, 3> combine_ = {kTileParam("a", PTO_IN), kTileParam("b", PTO_IN), kTileParam("y", PTO_OUT)};
  std::array<pto_kernel, 2> kernels_ = {kernel("update", 1, update_.data()), kernel("combine", 3, combine_.data())};
  std::array<const char*, 1> axes_ = {"i"};
  std::array<pto_site, 2> sites_ = {pto_site{kUpdate, "executor.py:3", 1, axes_.data(), 0},
                                    pto_site{kCombine, "executor.py:4", 1, axes_.data(), 0}};
  std::array<pto::TensorBinding, 1> tensors_;
};

void submit(pto::Executor& executor, uint32_t kernel, int64_t axis, const pto_region* operands) {
  executor.submit({kernel, kernel, &axis, operands, 0, nullptr, nullptr, nullptr});
}

void independent(pto::Executor& executor, int64_t tasks) {
  for (int64_t i = 0; i < tasks; ++i) {
    const pto_region own = tile(i);
    submit(executor, kUpdate, i, &own);
  }
}

void chain(pto::Executor& executor, int64_t tasks) {
  const pto_region only = tile(0);
  for (int64_t i = 0; i < tasks; ++i) submit(executor, kUpdate, i, &only);
}

void layered(pto::Executor& executor, int64_t tasks) {
  for (int64_t i = 0; i < tasks; ++i) {
    const int64_t before = i / kWidth * kWidth;
    const std::array<pto_region, 3> operands = {tile(before + i * 13 % kWidth), tile(before + (i * 13 + 337) % kWidth),
                                                tile(kWidth + i)};
    submit(executor, kCombine, i, operands.data());
  }
}

struct Stream {
  const char* name;
  void (*run)(pto::Executor&, int64_t);
};

}  // namespace

int main(int argc, char** argv) {
  const int64_t tasks = argc > 1 ? std::atoll(argv[1]) : 1'000'000;
  const Program program(tasks + kWidth);
  for (const Stream& stream :
       {Stream{"independent", independent}, Stream{"chain", chain}, Stream{"layered", layered}}) {
    if (argc > 2 && std::string_view(argv[2]) != stream.name) continue;
    for (const int threads : {1, 2}) {
      double best = 1e9, cpu = 1e9;
      for (int round = 0; round < 3; ++round) {
        const double begin = seconds(CLOCK_MONOTONIC), cpu_begin = seconds(CLOCK_PROCESS_CPUTIME_ID);
        program.run(stream.run, tasks, threads);
        best = std::min(best, seconds(CLOCK_MONOTONIC) - begin);
        cpu = std::min(cpu, seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu_begin);
      }
      const auto count = static_cast<double>(tasks);
      std::printf("%-12s %d threads %6.2f M tasks/s %5.0f ns\n", stream.name, threads, count / best * 1e-6,
                  cpu / count * 1e9);
    }
  }
}
