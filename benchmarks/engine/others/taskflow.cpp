// Taskflow runs empty tasks with a stream's edges.
#include <cstdint>
#include <taskflow/taskflow.hpp>
#include <vector>

#include "graphs.h"

namespace {

class Graph {
 public:
  Graph(size_t threads, others::Order& order) : executor_(threads), order_(order) {}

  void add(int64_t task) {
    nodes_.push_back(flow_.emplace([this, task] { order_.ran(task); }));
  }
  void edge(int64_t source, int64_t task) {
    nodes_[static_cast<size_t>(source)].precede(nodes_[static_cast<size_t>(task)]);
  }
  void run() {
    executor_.run(flow_).wait();
    flow_.clear();
    nodes_.clear();
  }

 private:
  tf::Executor executor_;
  tf::Taskflow flow_;
  others::Order& order_;
  std::vector<tf::Task> nodes_;
};

}  // namespace

int main(int argc, char** argv) { return others::graphs_main<Graph>(argc, argv); }
