// A bare-bones discrete-event simulator: what any engine with these streams, cores and window can hope for.
// limit STREAM TASKS THREADS KERNEL.. prints one line of JSON; a KERNEL is cube:CYCLES or vector:CYCLES.
#include <chrono>
#include <cstdio>
#include <exception>
#include <string>
#include <thread>
#include <vector>

#include "inference.h"
#include "kernel.h"
#include "machine.h"
#include "ring.h"
#include "streams.h"

namespace limit {
namespace {

constexpr int64_t kEnd = -1;

int64_t simulate(const std::string& stream, int64_t tasks, const std::vector<Kernel>& kernels) {
  Inference inference(kWindow);
  Machine machine(kWindow, kernels);
  run_stream(stream, tasks, [&](const Task& task) {
    const auto& sources = inference.add(task);
    machine.submit(task.kernel, sources.data(), sources.size());
  });
  return machine.finish();
}

int64_t receive(Ring& ring, const std::vector<Kernel>& kernels) {
  Machine machine(kWindow, kernels);
  std::vector<int64_t> sources;
  for (int64_t head = ring.get(); head != kEnd; head = ring.get()) {
    sources.resize(static_cast<size_t>(head >> 8));
    for (int64_t& source : sources) source = ring.get();
    machine.submit(static_cast<uint32_t>(head & 0xFF), sources.data(), sources.size());
  }
  return machine.finish();
}

int64_t simulate_on_two(const std::string& stream, int64_t tasks, const std::vector<Kernel>& kernels) {
  Ring ring;
  int64_t makespan = 0;
  std::thread machine([&] { makespan = receive(ring, kernels); });
  Inference inference(kWindow);
  run_stream(stream, tasks, [&](const Task& task) {
    const auto& sources = inference.add(task);
    ring.put(static_cast<int64_t>(sources.size() << 8 | task.kernel));
    for (const int64_t source : sources) ring.put(source);
  });
  ring.put(kEnd);
  ring.flush();
  machine.join();
  return makespan;
}

int64_t infer(const std::string& stream, int64_t tasks) {
  Inference inference(kWindow);
  int64_t edges = 0;
  run_stream(stream, tasks, [&](const Task& task) { edges += static_cast<int64_t>(inference.add(task).size()); });
  return edges;
}

int run(const std::string& stream, int64_t tasks, int threads, const std::vector<Kernel>& kernels) {
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  const int64_t result = threads == 0   ? infer(stream, tasks)
                         : threads == 1 ? simulate(stream, tasks, kernels)
                                        : simulate_on_two(stream, tasks, kernels);
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  std::printf("{\"seconds\": %.6f, \"%s\": %lld}\n", seconds, threads == 0 ? "edges" : "makespan",
              static_cast<long long>(result));
  return 0;
}

}  // namespace
}  // namespace limit

int main(int argc, char** argv) {
  if (argc < 5) {
    std::fputs("limit STREAM TASKS THREADS KERNEL..; 0 threads: inference alone\n", stderr);
    return 2;
  }
  try {
    return limit::run(argv[1], std::stoll(argv[2]), std::stoi(argv[3]), limit::parse_kernels(argc - 4, argv + 4));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "limit: %s\n", error.what());
    return 1;
  }
}
