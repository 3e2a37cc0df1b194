// A few of the numbers below a limit, in order.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace pto {

class IndexSet {
 public:
  // Of numbers below `limit`.
  explicit IndexSet(size_t limit) : words_((limit + kBits - 1) / kBits) {}

  void add(size_t index) { words_[index / kBits] |= uint64_t{1} << (index % kBits); }
  // Visits all, the lowest first, and empties the set. The visitor adds none.
  template <typename Visit>
  void take(Visit visit) {
    for (size_t word = 0; word < words_.size(); ++word) {
      for (uint64_t bits = words_[word]; bits != 0; bits &= bits - 1) {
        visit(word * kBits + static_cast<size_t>(std::countr_zero(bits)));
      }
      words_[word] = 0;
    }
  }

 private:
  static constexpr size_t kBits = 64;
  std::vector<uint64_t> words_;
};

}  // namespace pto
