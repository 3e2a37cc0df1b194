#include "analysis/order_processes.h"

#include <utility>

namespace pto {

void OrderProcesses::begin(uint32_t count) {
  scopes_around_ = scopes_.depth();
  processes_.assign(count, {});
  for (Process& process : processes_) process.levels.emplace_back();
}

void OrderProcesses::turn(uint32_t process) {
  std::vector<OrderScopes::Scope> nobodys;
  Process& next = processes_[process];
  scopes_.exchange(scopes_around_, current_ != nullptr ? current_->scopes : nobodys, next.scopes);
  current_ = &next;
}

void OrderProcesses::end() {
  current_ = nullptr;
  processes_.clear();
  events_.clear();
}

void OrderProcesses::loop_begin() { current_->levels.emplace_back(); }

void OrderProcesses::iteration() {
  Level& level = current_->levels.back();
  merge(level.before);
  level.ended.insert(level.ended.end(), level.before.begin(), level.before.end());
  level.before.clear();
}

void OrderProcesses::loop_end() {
  iteration();
  std::vector<OrderNode> ended = std::move(current_->levels.back().ended);
  current_->levels.pop_back();
  merge(ended);
  std::vector<OrderNode>& around = current_->levels.back().before;
  around.insert(around.end(), ended.begin(), ended.end());
}

void OrderProcesses::mark(uint32_t event) {
  if (event >= events_.size()) events_.resize(event + 1);
  std::vector<OrderNode> before;
  for (Level& level : current_->levels) {
    merge(level.before);
    before.insert(before.end(), level.before.begin(), level.before.end());
  }
  if (current_->gate != kNoNode) before.push_back(current_->gate);
  merge(before);
  events_[event] = before.empty() ? kNoNode : before.front();
}

void OrderProcesses::wait(uint32_t event) {
  std::vector<OrderNode> gates;
  for (const OrderNode node : {current_->gate, events_[event]}) {
    if (node != kNoNode) gates.push_back(node);
  }
  merge(gates);
  if (!gates.empty()) current_->gate = gates.front();
}

void OrderProcesses::add_member(OrderNode task) {
  if (current_ != nullptr) current_->levels.back().before.push_back(task);
}

void OrderProcesses::merge(std::vector<OrderNode>& nodes) {
  if (nodes.size() < 2) return;
  const OrderNode node = graph_.add(nodes);
  nodes.assign(1, node);
}

}  // namespace pto
