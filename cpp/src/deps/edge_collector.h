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
    std::sort(sources_.begin(), sources_.end());
    edges.clear();
    for (const uint64_t source : sources_) {
      const auto id = static_cast<int64_t>(source / kKinds);
      if (!edges.empty() && edges.back().source == id) continue;
      edges.push_back({id, static_cast<EdgeKind>(source % kKinds)});
    }
    sources_.clear();
  }

 private:
  static constexpr uint64_t kKinds = 8;
  static_assert(static_cast<uint64_t>(EdgeKind::Stream) < kKinds);

  std::vector<uint64_t> sources_;  // source * kKinds + kind
};

}  // namespace pto
