// Gathers the edges into one task and keeps one per source.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "deps/dependency_tracker.h"

namespace pto {

class EdgeCollector {
 public:
  void add(int64_t source, EdgeKind kind) {
    sources_.push_back(static_cast<uint64_t>(source) * kKinds + static_cast<uint64_t>(kind));
  }

  // Replaces `edges` by what was added since the last call: sources ascending, each of the first kind that holds.
  void take(std::vector<Edge>& edges) {
    edges.clear();
    if (sources_.empty()) return;
    sort();
    uint64_t before = UINT64_MAX;
    for (const uint64_t source : sources_) {
      if (source / kKinds == before) continue;
      before = source / kKinds;
      edges.push_back({static_cast<int64_t>(before), static_cast<EdgeKind>(source % kKinds)});
    }
    sources_.clear();
  }

 private:
  static constexpr uint64_t kKinds = 8;
  static_assert(static_cast<uint64_t>(EdgeKind::Stream) < kKinds);
  static constexpr size_t kFew = 16;

  // Most tasks have so few that sorting by insertion is the cheapest.
  void sort() {
    if (sources_.size() > kFew) {
      std::sort(sources_.begin(), sources_.end());
      return;
    }
    for (size_t i = 1; i < sources_.size(); ++i) {
      const uint64_t source = sources_[i];
      size_t at = i;
      for (; at > 0 && sources_[at - 1] > source; --at) sources_[at] = sources_[at - 1];
      sources_[at] = source;
    }
  }

  std::vector<uint64_t> sources_;  // source * kKinds + kind
};

}  // namespace pto
