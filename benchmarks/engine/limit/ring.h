// One producer, one consumer: words in a ring, handed over in chunks.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

namespace limit {

class Ring {
 public:
  Ring() : words_(kWords) {}

  void put(int64_t word) {
    if (written_ == room_) wait_for_room();
    words_[written_++ % kWords] = word;
    if (written_ % kChunk == 0) published_.store(written_, std::memory_order_release);
  }
  void flush() { published_.store(written_, std::memory_order_release); }

  int64_t get() {
    if (read_ == available_) wait_for_words();
    return words_[read_++ % kWords];
  }

 private:
  static constexpr uint64_t kWords = 1 << 16, kChunk = 1 << 10;

  void wait_for_room() {
    while ((room_ = consumed_.load(std::memory_order_acquire) + kWords) == written_) std::this_thread::yield();
  }
  void wait_for_words() {
    consumed_.store(read_, std::memory_order_release);
    while ((available_ = published_.load(std::memory_order_acquire)) == read_) std::this_thread::yield();
    if (available_ > read_ + kChunk) available_ = read_ + kChunk;  // the producer gets its room back in time
  }

  std::vector<int64_t> words_;
  alignas(64) uint64_t written_ = 0;
  uint64_t room_ = kWords;
  alignas(64) uint64_t read_ = 0;
  uint64_t available_ = 0;
  alignas(64) std::atomic<uint64_t> published_{0};
  alignas(64) std::atomic<uint64_t> consumed_{0};
};

}  // namespace limit
