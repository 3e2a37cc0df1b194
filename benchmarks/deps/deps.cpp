// How many tasks a second dependency inference alone takes, on one thread:
//   cmake --build build --target bench_deps && build/cpp/bench_deps [TASKS]
// CPU time, the best of three. A grid of tiles is gone over again and again, so that regions live, die and return.
#include <time.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "deps/exact_tracker.h"
#include "deps/overlap_tracker.h"

namespace {

constexpr int64_t kWindow = 16384, kSide = 32;

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

pto_region region(int64_t row, int64_t col, int64_t side) { return {0, 2, {row, col}, {side, side}}; }

struct Stream {
  const char* name;
  int64_t grid;    // tiles along each side of the tensor
  int64_t shift;   // of a task's input against the tiles, in elements
  int64_t inputs;  // tiles that a task reads besides the one that it updates
  bool is_read;    // by the workload: writes are remembered for its reads
};

// Millions of tasks per second, and edges per task.
template <typename Tracker>
void measure(const char* how, const Stream& stream, int64_t tasks) {
  const int64_t extent = (stream.grid + 1) * kSide;
  const std::array<pto::TensorInfo, 1> tensors = {pto::TensorInfo{"x", 4, {extent, extent}, stream.is_read}};
  const std::array<pto_role, 4> roles = {PTO_INOUT, PTO_IN, PTO_IN, PTO_IN};
  double best = 1e9;
  uint64_t edge_count = 0;
  size_t boxes = 0;
  for (int round = 0; round < 3; ++round) {
    Tracker tracker(tensors, kWindow);
    std::vector<pto::Edge> edges;
    std::array<pto_region, 4> operands{};
    edge_count = boxes = 0;
    const double begin = cpu_seconds();
    for (int64_t id = 0; id < tasks; ++id) {
      const int64_t cell = id % (stream.grid * stream.grid);
      for (int64_t i = 0; i <= stream.inputs; ++i) {
        const int64_t at = (cell + i * 977) % (stream.grid * stream.grid);
        const int64_t shift = i == 0 ? 0 : stream.shift;
        operands[static_cast<size_t>(i)] =
            region(at / stream.grid * kSide + shift, at % stream.grid * kSide + shift, kSide);
      }
      const auto count = static_cast<size_t>(stream.inputs + 1);
      tracker.add_task(id, {operands.data(), count}, {roles.data(), count}, edges);
      edge_count += edges.size();
    }
    const double seconds = cpu_seconds() - begin;
    if (seconds < best) best = seconds;
    boxes = tracker.live_boxes();
  }
  std::printf("  %-10s %-44s %8.2f M tasks/s %6.2f edges/task %8zu live boxes\n", how, stream.name,
              1e-6 * static_cast<double>(tasks) / best, static_cast<double>(edge_count) / static_cast<double>(tasks),
              boxes);
}

}  // namespace

int main(int argc, char** argv) {
  const int64_t tasks = argc > 1 ? std::strtoll(argv[1], nullptr, 10) : 2'000'000;
  const Stream aligned[] = {{"a tile of its own", 128, 0, 0, false},
                            {"a tile of its own, reads one", 128, 0, 1, false},
                            {"the same, and the workload reads the tensor", 128, 0, 1, true},
                            {"a tile of its own, reads three", 128, 0, 3, false}};
  for (const Stream& stream : aligned) {
    measure<pto::ExactTracker>("exact", stream, tasks);
    measure<pto::OverlapTracker>("overlap", stream, tasks);
  }
  const Stream unaligned[] = {{"a tile of its own, reads across four, 32 x 32", 32, 5, 1, false},
                              {"the same, 128 x 128 tiles", 128, 5, 1, false},
                              {"the same, 512 x 512 tiles", 512, 5, 1, false}};
  for (const Stream& stream : unaligned) measure<pto::OverlapTracker>("overlap", stream, tasks);
}
