// A stream as task graphs of kWindow tasks, each built and run to its end before the next: for runtimes that
// take whole graphs.
#pragma once

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "../limit/inference.h"
#include "order.h"
#include "report.h"

namespace others {

// A Graph has `add(task)`, `edge(source, task)` of two tasks of this graph, counted from 0, and `run()`, which leaves
// it empty. Answers how many edges there were.
template <typename Graph>
int64_t run_graphs(const std::string& stream, int64_t tasks, Graph& graph) {
  limit::Inference inference(limit::kWindow);
  int64_t next = 0, first = 0, edges = 0;
  std::vector<int64_t> sources;
  limit::run_stream(stream, tasks, [&](const limit::Task& task) {
    if (next - first == limit::kWindow) {
      graph.run();
      first = next;
    }
    sources = inference.add(task);
    std::sort(sources.begin(), sources.end());
    sources.erase(std::unique(sources.begin(), sources.end()), sources.end());
    graph.add(next);
    for (const int64_t source : sources) {
      if (source < first) continue;  // has run
      graph.edge(source - first, next - first);
      ++edges;
    }
    ++next;
  });
  graph.run();
  return edges;
}

// PROGRAM STREAM TASKS THREADS [check]
template <typename Graph>
int graphs_main(int argc, char** argv) {
  return report("edges", [&] {
    if (argc < 4) throw std::invalid_argument("expected STREAM TASKS THREADS [check]");
    const int64_t tasks = std::stoll(argv[2]);
    Order order(tasks, argc > 4);
    Graph graph(std::stoul(argv[3]), order);
    const int64_t edges = run_graphs(argv[1], tasks, graph);
    order.check(argv[1], tasks);
    return edges;
  });
}

}  // namespace others
