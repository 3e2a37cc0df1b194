#include "deps/edge_collector.h"

#include <algorithm>

namespace pto {

void EdgeCollector::sort_many(uint64_t* words, size_t count) { std::sort(words, words + count); }

void EdgeCollector::grow() {
  room_ = 2 * room_ + kFew;
  words_.resize(room_);
}

}  // namespace pto
