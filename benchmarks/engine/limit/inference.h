// Exact dependency inference: one hash table of tiles with their last writer and their readers since.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "streams.h"

namespace limit {

class Inference {
 public:
  explicit Inference(int64_t window) : window_(window), buckets_(bucket_count(window), kNone) {}

  // The tasks that the next task depends on, some perhaps twice; valid until the next call.
  const std::vector<int64_t>& add(const Task& task) {
    const int64_t id = next_++;
    const int64_t oldest = std::max<int64_t>(0, id - window_ + 1);
    sources_.clear();
    for (const Tile read : task.reads) {
      Entry& entry = entries_[find(read, oldest)];
      if (entry.writer >= oldest) sources_.push_back(entry.writer);
      add_reader(entry, id, oldest);
    }
    Entry& entry = entries_[find(task.write, oldest)];
    if (entry.writer >= oldest) sources_.push_back(entry.writer);
    for (uint32_t r = entry.first_reader; r != kNone; r = readers_[r].next) {
      if (readers_[r].task >= oldest && readers_[r].task != id) sources_.push_back(readers_[r].task);
    }
    drop_readers(entry);
    entry.writer = entry.last_access = id;
    return sources_;
  }

 private:
  static constexpr uint32_t kNone = UINT32_MAX;

  struct Entry {
    Tile tile;
    int64_t writer;
    int64_t last_access;
    uint32_t first_reader, last_reader;
    uint32_t next;
  };
  struct Reader {
    int64_t task;
    uint32_t next;
  };

  static size_t bucket_count(int64_t window) {
    size_t count = 1024;
    while (count < static_cast<size_t>(window) * 2) count *= 2;
    return count;
  }

  // The tile's entry, made if need be. Entries out of the window that stand in the way are forgotten.
  uint32_t find(Tile tile, int64_t oldest) {
    const uint64_t hash = tile * 0x9E3779B97F4A7C15ull;
    uint32_t* const head = &buckets_[(hash ^ hash >> 32) & (buckets_.size() - 1)];
    for (uint32_t* link = head; *link != kNone;) {
      Entry& entry = entries_[*link];
      if (entry.tile == tile) return *link;
      if (entry.last_access >= oldest) {
        link = &entry.next;
        continue;
      }
      drop_readers(entry);
      const uint32_t stale = *link;
      *link = entry.next;
      entry.next = free_entry_;
      free_entry_ = stale;
    }
    const uint32_t made = take(entries_, free_entry_);
    entries_[made] = {tile, -1, 0, kNone, kNone, *head};
    return *head = made;
  }

  void add_reader(Entry& entry, int64_t id, int64_t oldest) {
    entry.last_access = id;
    if (entry.first_reader != kNone && readers_[entry.last_reader].task == id) return;
    uint32_t reader = entry.first_reader;
    if (reader != kNone && readers_[reader].task < oldest && reader != entry.last_reader) {
      entry.first_reader = readers_[reader].next;  // reused: a tile that is only read stays small
    } else {
      reader = take(readers_, free_reader_);
    }
    readers_[reader] = {id, kNone};
    (entry.first_reader == kNone ? entry.first_reader : readers_[entry.last_reader].next) = reader;
    entry.last_reader = reader;
  }

  void drop_readers(Entry& entry) {
    if (entry.first_reader == kNone) return;
    readers_[entry.last_reader].next = free_reader_;
    free_reader_ = entry.first_reader;
    entry.first_reader = kNone;
  }

  template <typename T>
  static uint32_t take(std::vector<T>& pool, uint32_t& free) {
    if (free == kNone) {
      pool.emplace_back();
      return static_cast<uint32_t>(pool.size() - 1);
    }
    const uint32_t taken = free;
    free = pool[taken].next;
    return taken;
  }

  int64_t window_;
  int64_t next_ = 0;
  std::vector<uint32_t> buckets_;
  std::vector<Entry> entries_;
  std::vector<Reader> readers_;
  uint32_t free_entry_ = kNone, free_reader_ = kNone;
  std::vector<int64_t> sources_;
};

}  // namespace limit
