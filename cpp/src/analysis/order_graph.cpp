#include "analysis/order_graph.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <numeric>

#include "pto/error.h"

namespace pto {
namespace {

constexpr size_t kWords = 8;
constexpr size_t kBits = kWords * 64;
using Bits = std::array<uint64_t, kWords>;

class Block {
 public:
  Block(const OrderGraph& graph, const std::atomic<bool>& stop) : graph_(graph), stop_(stop) {}

  // `from`: distinct, ascending, kBits at most. `asked`: positions of the queries from these, ascending by `to`.
  void answer(std::span<const OrderNode> from, const std::vector<PathQuery>& queries, std::span<const size_t> asked,
              std::vector<bool>& answers) {
    from_ = from;
    first_ = from.front();
    const OrderNode last = queries[asked.back()].to;
    reached_.assign(last - first_ + 1, Bits{});
    size_t next = 0;
    for (OrderNode node = first_; node <= last; ++node) {
      if ((node & 0xfff) == 0 && stop_) throw Stopped();
      Bits& bits = reached_[node - first_];
      for (const OrderNode source : graph_.sources(node)) {
        if (source < first_) continue;
        for (size_t w = 0; w < kWords; ++w) bits[w] |= reached_[source - first_][w];
      }
      for (; next < asked.size() && queries[asked[next]].to == node; ++next) {
        answers[asked[next]] = test(bits, queries[asked[next]].from);
      }
      for (const OrderNode source : graph_.sources(node)) set(bits, source);
    }
  }

 private:
  size_t position(OrderNode node) const {
    return static_cast<size_t>(std::lower_bound(from_.begin(), from_.end(), node) - from_.begin());
  }
  bool test(const Bits& bits, OrderNode node) const {
    const size_t bit = position(node);
    return (bits[bit / 64] >> (bit % 64) & 1) != 0;
  }
  void set(Bits& bits, OrderNode node) const {
    if (node < from_.front() || node > from_.back()) return;
    const size_t bit = position(node);
    if (from_[bit] == node) bits[bit / 64] |= uint64_t{1} << (bit % 64);
  }

  const OrderGraph& graph_;
  const std::atomic<bool>& stop_;
  std::span<const OrderNode> from_;
  OrderNode first_ = 0;
  std::vector<Bits> reached_;  // by node, from first_ on: which of from_ a path leads from
};

}  // namespace

std::vector<bool> find_paths(const OrderGraph& graph, const std::vector<PathQuery>& queries,
                             const std::atomic<bool>& stop) {
  std::vector<bool> answers(queries.size());
  std::vector<size_t> order(queries.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return queries[a].from < queries[b].from; });
  Block block(graph, stop);
  std::vector<OrderNode> from;
  for (size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    from.clear();
    for (; end < order.size(); ++end) {
      const OrderNode node = queries[order[end]].from;
      if (!from.empty() && from.back() == node) continue;
      if (from.size() == kBits) break;
      from.push_back(node);
    }
    const std::span asked(order.data() + begin, end - begin);
    std::sort(asked.begin(), asked.end(), [&](size_t a, size_t b) { return queries[a].to < queries[b].to; });
    block.answer(from, queries, asked, answers);
  }
  return answers;
}

void OrderScopes::part() { close_part(scopes_.back()); }

// A nested scope counts in the part around it through its last part.
void OrderScopes::end() {
  close_part(scopes_.back());
  const OrderNode last = scopes_.back().previous;
  scopes_.pop_back();
  if (last != kNoNode && !scopes_.empty()) scopes_.back().members.push_back(last);
}

OrderNode OrderScopes::awaited() const {
  for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
    if (scope->previous != kNoNode) return scope->previous;
  }
  return kNoNode;
}

void OrderScopes::add_member(OrderNode task) {
  if (!scopes_.empty()) scopes_.back().members.push_back(task);
}

void OrderScopes::exchange(size_t first, std::vector<Scope>& out, std::vector<Scope>& in) {
  const auto begin = scopes_.begin() + static_cast<std::ptrdiff_t>(first);
  out.assign(std::make_move_iterator(begin), std::make_move_iterator(scopes_.end()));
  scopes_.erase(begin, scopes_.end());
  scopes_.insert(scopes_.end(), std::make_move_iterator(in.begin()), std::make_move_iterator(in.end()));
  in.clear();
}

void OrderScopes::close_part(Scope& scope) {
  if (scope.members.empty()) return;
  scope.previous = graph_.add(scope.members);
  scope.members.clear();
}

}  // namespace pto
