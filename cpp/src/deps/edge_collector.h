// Gathers the edges into one task and keeps one per source.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "pto/stats.h"

namespace pto {

struct Edge {
  int64_t source;
  EdgeKind kind;
};

// An edge as one word: as long as ids go up, so do words, and of one source the first kind is the least.
inline uint64_t pack_edge(const Edge& edge) {
  static_assert(static_cast<uint64_t>(EdgeKind::Stream) < 8);
  return static_cast<uint64_t>(edge.source) << 3 | static_cast<uint64_t>(edge.kind);
}
inline Edge unpack_edge(uint64_t word) { return {static_cast<int64_t>(word >> 3), static_cast<EdgeKind>(word & 7)}; }

class EdgeCollector {
 public:
  void add(int64_t source, EdgeKind kind) {
    if (count_ == room_) grow();
    words_[count_++] = pack_edge({source, kind});
  }

  // What was added since the last call, packed: sources ascending, each of the first kind that holds. Valid until the
  // next edge is added.
  std::span<const uint64_t> take() {
    const size_t added = std::exchange(count_, 0);
    uint64_t* const words = words_.data();
    if (added < 2) return {words, added};
    if (added > kFew) {
      sort_many(words, added);
    } else {
      sort_few(words, added);
    }
    return {words, keep_first_kinds(words, added)};
  }
  void take(std::vector<Edge>& edges) {
    edges.clear();
    for (const uint64_t word : take()) edges.push_back(unpack_edge(word));
  }

 private:
  // Most tasks have so few edges that sorting by insertion is the cheapest.
  static constexpr size_t kFew = 16;

  static void sort_many(uint64_t* words, size_t count);
  static void sort_few(uint64_t* words, size_t count) {
    for (size_t i = 1; i < count; ++i) {
      const uint64_t word = words[i];
      size_t at = i;
      for (; at > 0 && words[at - 1] > word; --at) words[at] = words[at - 1];
      words[at] = word;
    }
  }
  static size_t keep_first_kinds(uint64_t* words, size_t count) {
    size_t kept = 1;
    while (kept < count && words[kept] >> 3 != words[kept - 1] >> 3) ++kept;
    for (size_t i = kept + 1; i < count; ++i) {
      if (words[i] >> 3 != words[kept - 1] >> 3) words[kept++] = words[i];
    }
    return kept;
  }

  void grow();

  std::vector<uint64_t> words_;
  size_t room_ = 0;   // their number
  size_t count_ = 0;  // of words that were added
};

}  // namespace pto
