// What processes order (rule 16), as nodes that later tasks come after.
#pragma once

#include <vector>

#include "analysis/order_graph.h"

namespace pto {

class OrderProcesses {
 public:
  OrderProcesses(OrderGraph& graph, OrderScopes& scopes) : graph_(graph), scopes_(scopes) {}

  void begin(uint32_t count);
  void turn(uint32_t process);
  void end();
  void loop_begin();
  void iteration();
  void loop_end();
  void mark(uint32_t event);
  void wait(uint32_t event);

  // What a new task of the process comes after, or kNoNode.
  OrderNode awaited() const { return current_ != nullptr ? current_->gate : kNoNode; }
  void add_member(OrderNode task);

 private:
  struct Level {
    std::vector<OrderNode> before;  // in this iteration
    std::vector<OrderNode> ended;   // the iterations before it
  };
  struct Process {
    std::vector<Level> levels;
    std::vector<OrderScopes::Scope> scopes;  // while another process goes on
    OrderNode gate = kNoNode;
  };

  // Replaces several nodes by one that comes after them.
  void merge(std::vector<OrderNode>& nodes);

  OrderGraph& graph_;
  OrderScopes& scopes_;
  size_t scopes_around_ = 0;
  std::vector<Process> processes_;
  Process* current_ = nullptr;
  std::vector<OrderNode> events_;
};

}  // namespace pto
