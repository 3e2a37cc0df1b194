// oneTBB's flow graph runs empty tasks with a stream's edges.
#include <oneapi/tbb/flow_graph.h>
#include <oneapi/tbb/global_control.h>

#include <cstdint>
#include <deque>
#include <vector>

#include "graphs.h"

namespace {

namespace tbb = oneapi::tbb;

class Graph {
 public:
  Graph(size_t threads, others::Order& order)
      : parallelism_(tbb::global_control::max_allowed_parallelism, threads), order_(order) {}

  void add(int64_t task) {
    nodes_.emplace_back(graph_, [this, task](const Message&) { order_.ran(task); });
    waits_.push_back(false);
  }
  void edge(int64_t source, int64_t task) {
    tbb::flow::make_edge(nodes_[static_cast<size_t>(source)], nodes_[static_cast<size_t>(task)]);
    waits_[static_cast<size_t>(task)] = true;
  }
  void run() {
    for (size_t i = 0; i < nodes_.size(); ++i) {
      if (!waits_[i]) nodes_[i].try_put(Message());
    }
    graph_.wait_for_all();
    nodes_.clear();
    waits_.clear();
  }

 private:
  using Message = tbb::flow::continue_msg;

  tbb::global_control parallelism_;
  others::Order& order_;
  tbb::flow::graph graph_;
  std::deque<tbb::flow::continue_node<Message>> nodes_;
  std::vector<bool> waits_;
};

}  // namespace

int main(int argc, char** argv) { return others::graphs_main<Graph>(argc, argv); }
