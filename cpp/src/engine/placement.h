// How many tasks are in flight on each core, and which core takes the next one (rules 9 and 10).
#pragma once

#include <bit>
#include <cstdint>
#include <vector>

#include "engine/machine_state.h"
#include "engine/scope.h"
#include "engine/stream_scopes.h"

namespace pto {

// The cores of one scheduler, pool and unit, kept by number of tasks in flight.
class CoreLevels {
 public:
  static constexpr int kNone = -1;

  void add_core(int core) { cores_.push_back(core); }
  size_t size() const { return cores_.size(); }
  // After the last add_core: at most `limit` tasks in flight on a core.
  void seal(int64_t limit);

  bool has_room() const { return open_ > 0; }
  // The core with fewest tasks in flight, then lowest id, that has room; or kNone.
  int least_loaded() const {
    if (!has_room()) return kNone;
    int core = lowest(0);
    for (size_t level = 1; core == kNone; ++level) core = lowest(level);
    return core;
  }
  // The lowest core with nothing in flight; or kNone.
  int idle() const { return lowest(0); }
  // One task more or less is in flight on a core that had `level`; `position` is the core's place in this group.
  void enter(size_t position, size_t level) {
    if (level + 1 == levels_) add_level();
    uint64_t* const word = &bits_[level * words_ + position / kWordBits];
    const uint64_t bit = uint64_t{1} << (position % kWordBits);
    word[0] &= ~bit;
    word[words_] |= bit;
    open_ -= static_cast<int64_t>(level) + 1 == limit_;
  }
  void leave(size_t position, size_t level) {
    uint64_t* const word = &bits_[(level - 1) * words_ + position / kWordBits];
    const uint64_t bit = uint64_t{1} << (position % kWordBits);
    word[0] |= bit;
    word[words_] &= ~bit;
    open_ += static_cast<int64_t>(level) == limit_;
  }

 private:
  static constexpr size_t kWordBits = 64;

  void add_level();
  int lowest(size_t level) const {
    const uint64_t* const bits = bits_.data() + level * words_;
    for (size_t word = 0; word < words_; ++word) {
      if (bits[word] != 0) return cores_[word * kWordBits + static_cast<size_t>(std::countr_zero(bits[word]))];
    }
    return kNone;
  }

  int64_t limit_ = 0;
  std::vector<int> cores_;  // ascending
  size_t open_ = 0;         // cores with room
  size_t words_ = 0;        // of a level
  size_t levels_ = 1;       // that have bits
  // By number of tasks in flight and position: the core has so many.
  std::vector<uint64_t> bits_;
};

class Placement {
 public:
  explicit Placement(MachineState& state);

  // The cores that a scheduler owns of a pool. Valid as long as the placement.
  const CoreLevels& cores(int scheduler, int pool, int unit) const {
    return groups_[group_index(scheduler, pool, unit)];
  }
  // The tasks in flight that depth_scope counts together: those of the pool, or of the scheduler.
  const Scope& scope(int scheduler, int pool) const { return scopes_[scope_index(scheduler, pool)]; }
  int64_t in_flight() const { return in_flight_; }
  StreamScopes& streams() { return streams_; }
  const StreamScopes& streams() const { return streams_; }

  // A task is in flight from its dispatch until it is finished.
  void enter(int core) {
    Core& entered = cores_[static_cast<size_t>(core)];
    entered.group->enter(entered.position, entered.in_flight++);
    entered.scope->enter();
    ++in_flight_;
  }
  void leave(int core) {
    Core& left = cores_[static_cast<size_t>(core)];
    left.group->leave(left.position, left.in_flight--);
    left.scope->leave(state_.now);
    --in_flight_;
  }

  // What a core has reported so far: the last report's arrival, and the end of its service.
  struct Report {
    int64_t arrival = 0, service_end = 0;
  };
  const Report& last_report(int core) const { return cores_[static_cast<size_t>(core)].last_report; }
  void note_report(int core, const Report& report) { cores_[static_cast<size_t>(core)].last_report = report; }

 private:
  struct Core {
    CoreLevels* group = nullptr;  // none: no task comes here
    size_t position = 0;
    Scope* scope = nullptr;
    size_t in_flight = 0;
    Report last_report = {};
  };

  size_t index(int scheduler, int pool) const { return static_cast<size_t>(scheduler * pools_ + pool); }
  size_t scope_index(int scheduler, int pool) const {
    return global_ ? static_cast<size_t>(scheduler) : index(scheduler, pool);
  }
  size_t group_index(int scheduler, int pool, int unit) const {
    return index(scheduler, pool) * 2 + static_cast<size_t>(unit);
  }

  MachineState& state_;
  int pools_;
  bool global_;                     // depth_scope
  std::vector<CoreLevels> groups_;  // by scheduler, pool, unit
  std::vector<Scope> scopes_;       // by scheduler, and pool if they are not global
  std::vector<Core> cores_;         // by id
  StreamScopes streams_;
  int64_t in_flight_ = 0;
};

}  // namespace pto
