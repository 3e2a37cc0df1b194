// How the program travels: words in a RecordStream.
#pragma once

#include <array>
#include <cstdint>

#include "deps/dependency_tracker.h"
#include "memory/cells.h"
#include "pto/source.h"

namespace pto {

enum class RecordKind : uint8_t {
  End,
  Task,
  Cost,
  Read,
  ScopeBegin,
  Part,
  ScopeEnd,
  ProcessesBegin,
  Process,
  ProcessesEnd,
  LoopBegin,
  Iteration,
  LoopEnd,
  Mark,
  Wait,
  Forget
};

// The first word of a record, and the whole of one that is neither a task nor a read.
//   Task: then kernel | site << 32, then for a kernel with loops the number of its cost, then the fields that the
//   schedule uses, then its axes, then its edges, then with
//   L2 the number of its touches and these.
//   Cost: then a KernelCost, which the number after that of the cost before it stands for from now on; the first are
//   those of the kernels.
//   Read: then the ids of `count` writers; where `flag` is 0 nothing was ever written there, and count is 0.
//   ProcessesBegin, Process, Mark, Wait, Forget: `count` is the number, `axes` why it waits.
struct RecordHead {
  RecordKind kind = RecordKind::End;
  uint8_t axes = 0;    // of a task; of a wait its ProcessWait
  uint16_t home = 0;   // of a task: scheduler + 1, 0 for shared
  uint32_t count = 0;  // of edges or writers; the number of a process or an event
  bool flag = false;

  uint64_t pack() const {
    return static_cast<uint64_t>(kind) | uint64_t{flag} << 7 | uint64_t{axes} << 8 | uint64_t{home} << 16 |
           uint64_t{count} << 32;
  }
  static RecordHead unpack(uint64_t word) {
    return {static_cast<RecordKind>(word & 0x7F), static_cast<uint8_t>(word >> 8), static_cast<uint16_t>(word >> 16),
            static_cast<uint32_t>(word >> 32), (word & 0x80) != 0};
  }
};

using CostWords = std::array<uint64_t, sizeof(KernelCost) / sizeof(uint64_t)>;

// A touch is three words.
template <typename Put>
void put_touch(const Touch& touch, Put put) {
  put(uint64_t{touch.cell} << 1 | uint64_t{touch.writes});
  put(static_cast<uint64_t>(touch.bytes));
  put(static_cast<uint64_t>(touch.size));
}
template <typename Get>
Touch get_touch(Get get) {
  const uint64_t head = get();
  Touch touch{static_cast<uint32_t>(head >> 1), (head & 1) != 0};
  touch.bytes = static_cast<int64_t>(get());
  touch.size = static_cast<int64_t>(get());
  return touch;
}

}  // namespace pto
