// What a program and a schedule order: tasks, joins and reads as nodes, each after its sources.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

namespace pto {

using OrderNode = uint32_t;
inline constexpr OrderNode kNoNode = UINT32_MAX;

class OrderGraph {
 public:
  OrderNode add(std::span<const OrderNode> sources) {
    sources_.insert(sources_.end(), sources.begin(), sources.end());
    first_.push_back(sources_.size());
    return static_cast<OrderNode>(first_.size() - 2);
  }
  std::span<const OrderNode> sources(OrderNode node) const {
    return {sources_.data() + first_[node], sources_.data() + first_[node + 1]};
  }

 private:
  std::vector<size_t> first_ = {0};  // of each node, in sources_
  std::vector<OrderNode> sources_;
};

// Is there a path of two edges or more?
struct PathQuery {
  OrderNode from, to;
};

// One answer per query. Takes the sources of 512 queries at a time and carries a bit of each through the nodes that
// lie between: time (sources / 512) x (edges between the first of them and the last node asked for).
// Throws Stopped once `stop` is true.
std::vector<bool> find_paths(const OrderGraph& graph, const std::vector<PathQuery>& queries,
                             const std::atomic<bool>& stop);

// Structural order (rule 2): parts of a scope become nodes that later tasks come after.
class OrderScopes {
 public:
  struct Scope {
    std::vector<OrderNode> members;  // of the open part
    OrderNode previous = kNoNode;    // the nearest part before it that holds a task
  };

  explicit OrderScopes(OrderGraph& graph) : graph_(graph) {}

  void begin() { scopes_.emplace_back(); }
  void part();
  void end();
  // The join that a new task comes after, or kNoNode.
  OrderNode awaited() const;
  void add_member(OrderNode task);

  size_t depth() const { return scopes_.size(); }
  // The open scopes from `first` on move to `out`, and those of `in` take their place.
  void exchange(size_t first, std::vector<Scope>& out, std::vector<Scope>& in);

 private:
  void close_part(Scope& scope);

  OrderGraph& graph_;
  std::vector<Scope> scopes_;
};

}  // namespace pto
