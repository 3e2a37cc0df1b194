// The ring through which the caller's thread hands the program to the simulation's thread.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>

namespace pto {

// Bounded, one producer, one consumer. Words travel in blocks; records may lie across two.
// Either side throws Stopped once `stop` is true or the other side has abandoned the stream.
class RecordStream {
 public:
  static constexpr size_t kBlockWords = 4096;

  explicit RecordStream(const std::atomic<bool>& stop);

  // The producer's side.
  void put(uint64_t word) {
    if (write_ == kBlockWords) publish();
    filling_[write_++] = word;
  }
  // Where up to `count` words may be written, one after the other; commit() puts those before `end`. At most a block's.
  uint64_t* room(size_t count) {
    if (kBlockWords - write_ < count) publish();
    return filling_ + write_;
  }
  void commit(const uint64_t* end) { write_ = static_cast<size_t>(end - filling_); }
  // Hands over what was put so far.
  void flush();

  // The consumer's side: waits for the next word.
  uint64_t get() {
    if (read_ == read_end_) next_block();
    return block_[read_++];
  }

  // Called by a side that goes away: the other one need not wait for it.
  void abandon();
  bool stopped() const { return stop_.load(std::memory_order_relaxed) || abandoned_.load(std::memory_order_relaxed); }

 private:
  static constexpr size_t kBlocks = 16;
  struct Block {
    size_t size = 0;
    std::array<uint64_t, kBlockWords> words;
  };

  void publish();
  void next_block();
  template <typename Ready>
  void wait(Ready ready);
  void wake();

  // Each side's words, and what both look at, lie in cache lines of their own; the hardware fetches lines in pairs.
  static constexpr size_t kApart = 128;

  const std::atomic<bool>& stop_;
  std::unique_ptr<std::array<Block, kBlocks>> storage_;
  Block* blocks_;

  // Producer
  alignas(kApart) uint64_t* filling_;  // the block that is being filled
  size_t write_ = 0;                   // words in it
  uint64_t written_ = 0;               // blocks handed over
  // Consumer
  alignas(kApart) const uint64_t* block_ = nullptr;
  size_t read_ = 0, read_end_ = 0;
  uint64_t taken_ = 0;  // blocks begun
  // Both
  alignas(kApart) std::atomic<uint64_t> published_{0};
  alignas(kApart) std::atomic<uint64_t> consumed_{0};
  alignas(kApart) std::atomic<bool> abandoned_{false};
  std::atomic<bool> waiting_{false};
  std::mutex mutex_;
  std::condition_variable changed_;
};

}  // namespace pto
