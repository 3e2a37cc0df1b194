#include "engine/record_stream.h"

#include <chrono>
#include <thread>

#include "pto/error.h"

namespace pto {
namespace {

constexpr int kYields = 64;
// `stop` wakes nobody: it is looked at in these intervals.
constexpr auto kPatience = std::chrono::milliseconds(5);

}  // namespace

RecordStream::RecordStream(const std::atomic<bool>& stop)
    : stop_(stop),
      storage_(std::make_unique<std::array<Block, kBlocks>>()),
      blocks_(storage_->data()),
      filling_(blocks_->words.data()) {}

void RecordStream::flush() {
  if (write_ > 0) publish();
}

// The block goes over; waits until the next one is free.
void RecordStream::publish() {
  blocks_[written_ % kBlocks].size = write_;
  published_.store(++written_);
  wake();
  wait([this] { return written_ - consumed_.load() < kBlocks; });
  filling_ = blocks_[written_ % kBlocks].words.data();
  write_ = 0;
}

void RecordStream::next_block() {
  if (block_ != nullptr) {
    consumed_.store(taken_);
    wake();
  }
  wait([this] { return published_.load() > taken_; });
  const Block& block = blocks_[taken_++ % kBlocks];
  block_ = block.words.data();
  read_ = 0;
  read_end_ = block.size;
}

void RecordStream::abandon() {
  abandoned_.store(true);
  const std::lock_guard lock(mutex_);
  changed_.notify_all();
}

template <typename Ready>
void RecordStream::wait(Ready ready) {
  for (int i = 0; i < kYields; ++i) {
    if (ready()) return;
    std::this_thread::yield();
  }
  while (!ready()) {
    if (stopped()) throw Stopped();
    std::unique_lock lock(mutex_);
    waiting_.store(true);
    if (!ready()) changed_.wait_for(lock, kPatience);
    waiting_.store(false);
  }
}

void RecordStream::wake() {
  if (!waiting_.load()) return;
  const std::lock_guard lock(mutex_);
  changed_.notify_all();
}

}  // namespace pto
