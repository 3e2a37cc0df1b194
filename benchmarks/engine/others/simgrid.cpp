// The same machine in SimGrid: an actor and a host per core, an actor that submits, and semaphores between them.
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <simgrid/s4u.hpp>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "../limit/inference.h"
#include "../limit/kernel.h"
#include "report.h"

namespace {

namespace s4u = simgrid::s4u;

class Machine {
 public:
  explicit Machine(std::vector<limit::Kernel> kernels) : kernels_(std::move(kernels)), tasks_(limit::kWindow) {}

  // To be called by the actor that submits: the next task, as soon as the window has room.
  void submit(uint32_t kernel, const std::vector<int64_t>& sources) {
    room_->acquire();
    const int64_t id = next_++;
    Task& task = at(id);
    task = {&kernels_.at(kernel), 0, false, {}};
    for (const int64_t source : sources) {
      if (source < oldest_ || at(source).finished) continue;
      at(source).successors.push_back(id);
      ++task.unresolved;
    }
    if (task.unresolved > 0) return;
    queue_of(id).ids.push_back(id);
    queue_of(id).filled->release();
  }

  // To be called by the actor that submits: returns when all tasks are finished.
  void drain() {
    for (int64_t i = 0; i < limit::kWindow; ++i) room_->acquire();
  }

  // A core: takes a task, runs it, and so on.
  void serve(limit::Unit unit) {
    Queue& queue = queues_[static_cast<size_t>(unit)];
    while (true) {
      queue.filled->acquire();
      const int64_t id = queue.ids.front();
      queue.ids.pop_front();
      s4u::this_actor::execute(static_cast<double>(at(id).kernel->cycles));
      finish(id);
    }
  }

 private:
  struct Task {
    const limit::Kernel* kernel;
    int64_t unresolved;
    bool finished;
    std::vector<int64_t> successors;
  };
  struct Queue {
    s4u::SemaphorePtr filled = s4u::Semaphore::create(0);
    std::deque<int64_t> ids;
  };

  Task& at(int64_t id) { return tasks_[static_cast<size_t>(id % limit::kWindow)]; }

  Queue& queue_of(int64_t id) { return queues_[static_cast<size_t>(at(id).kernel->unit)]; }

  void finish(int64_t id) {
    at(id).finished = true;
    std::vector<int64_t> resolved;
    for (const int64_t successor : std::exchange(at(id).successors, {})) {
      if (--at(successor).unresolved == 0) resolved.push_back(successor);
    }
    int64_t room = 0;
    for (; oldest_ < next_ && at(oldest_).finished; ++oldest_) ++room;
    // Only now: whoever releases a semaphore lets other actors go on.
    for (const int64_t task : resolved) queue_of(task).ids.push_back(task);
    for (const int64_t task : resolved) queue_of(task).filled->release();
    for (; room > 0; --room) room_->release();
  }

  std::vector<limit::Kernel> kernels_;
  std::vector<Task> tasks_;
  int64_t next_ = 0, oldest_ = 0;
  std::array<Queue, 2> queues_;
  s4u::SemaphorePtr room_ = s4u::Semaphore::create(limit::kWindow);
};

void submit_all(const std::string& stream, int64_t tasks, Machine& machine) {
  limit::Inference inference(limit::kWindow);
  limit::run_stream(stream, tasks, [&](const limit::Task& task) { machine.submit(task.kernel, inference.add(task)); });
  machine.drain();
}

void add_cores(s4u::NetZone& zone, Machine& machine, limit::Unit unit, int count) {
  const std::string prefix = unit == limit::Unit::Cube ? "cube" : "vector";
  for (int i = 0; i < count; ++i) {
    const std::string name = prefix + std::to_string(i);
    s4u::Host* const host = zone.create_host(name, 1.0);  // one operation a second: a cycle is a second
    s4u::Actor::create(name, host, [&machine, unit] { machine.serve(unit); })->daemonize();
  }
}

}  // namespace

// simgrid STREAM TASKS KERNEL..
int main(int argc, char** argv) {
  s4u::Engine engine(&argc, argv);
  return others::report("makespan", [&] {
    if (argc < 4) throw std::invalid_argument("expected STREAM TASKS KERNEL..");
    const std::string stream = argv[1];
    const int64_t tasks = std::stoll(argv[2]);
    Machine machine(limit::parse_kernels(argc - 3, argv + 3));
    s4u::NetZone* const zone = s4u::create_full_zone("machine");
    add_cores(*zone, machine, limit::Unit::Cube, limit::kCube);
    add_cores(*zone, machine, limit::Unit::Vector, limit::kVector);
    s4u::Host* const host = zone->create_host("orchestrator", 1.0);
    zone->seal();
    s4u::Actor::create("orchestrator", host, [&] { submit_all(stream, tasks, machine); });
    engine.run();
    return std::llround(s4u::Engine::get_clock());
  });
}
