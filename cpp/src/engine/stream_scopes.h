// Streams as scopes (rule 10, depth_scope=per_stream): so many tasks of one in flight.
#pragma once

#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/scope.h"
#include "pto/config.h"

namespace pto {

class StreamScopes {
 public:
  explicit StreamScopes(const Schedule& schedule)
      : limit_(schedule.depth > 0 && schedule.depth_scope == DepthScope::PerStream ? schedule.depth : INT64_MAX) {}

  bool limits() const { return limit_ != INT64_MAX; }
  // A task without a stream, -1, is not limited.
  bool is_open(int64_t stream) const {
    const Scope* scope = find(stream);
    return scope == nullptr || scope->is_open();
  }
  int64_t opened(int64_t stream) const {
    const Scope* scope = find(stream);
    return scope == nullptr ? 0 : scope->opened;
  }
  void enter(int64_t stream) {
    if (limits() && stream >= 0) scopes_.try_emplace(stream, Scope{limit_}).first->second.enter();
  }
  void leave(int64_t stream, int64_t now) {
    if (limits() && stream >= 0 && scopes_.at(stream).leave(now)) just_opened_.push_back(stream);
  }
  // The streams that have opened since the last call.
  std::vector<int64_t> take_opened() { return std::exchange(just_opened_, {}); }

 private:
  const Scope* find(int64_t stream) const {
    if (!limits() || stream < 0) return nullptr;
    const auto at = scopes_.find(stream);
    return at == scopes_.end() ? nullptr : &at->second;
  }

  int64_t limit_;
  std::unordered_map<int64_t, Scope> scopes_;
  std::vector<int64_t> just_opened_;
};

}  // namespace pto
