// OpenMP runs empty tasks and finds a stream's edges itself, from `depend` clauses.
#include <array>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

#include "../limit/streams.h"
#include "order.h"
#include "report.h"

namespace {

// Only the addresses count. Tiles that share one are too far apart to be alive together.
constexpr uint64_t kTiles = 1 << 20;
std::array<std::array<char, kTiles>, 3> addresses;

char* address(limit::Tile tile) { return &addresses[tile >> 48][tile % kTiles]; }

int64_t run(const std::string& stream, int64_t tasks, int threads, others::Order& order) {
  int64_t next = 0;
#pragma omp parallel num_threads(threads)
#pragma omp single
  limit::run_stream(stream, tasks, [&](const limit::Task& task) {
    std::array<char*, 128> reads;
    const size_t count = task.reads.size();
    for (size_t i = 0; i < count; ++i) reads.at(i) = address(task.reads[i]);
    char* const write = address(task.write);
    const int64_t id = next++;
#pragma omp task firstprivate(id) shared(order) depend(iterator(size_t i = 0 : count), in : *reads[i]) \
    depend(inout : *write)
    order.ran(id);
  });
  order.check(stream, tasks);
  return next;
}

}  // namespace

// openmp STREAM TASKS THREADS [check]
int main(int argc, char** argv) {
  return others::report("tasks", [&] {
    if (argc < 4) throw std::invalid_argument("expected STREAM TASKS THREADS [check]");
    const int64_t tasks = std::stoll(argv[2]);
    others::Order order(tasks, argc > 4);
    return run(argv[1], tasks, std::stoi(argv[3]), order);
  });
}
