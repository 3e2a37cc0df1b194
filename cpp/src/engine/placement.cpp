#include "engine/placement.h"

#include <bit>

namespace pto {
namespace {

constexpr size_t kWordBits = 64;

}  // namespace

void CoreLevels::seal(int64_t limit) {
  limit_ = limit;
  words_ = (cores_.size() + kWordBits - 1) / kWordBits;
  bits_.assign(words_, 0);
  for (size_t i = 0; i < cores_.size(); ++i) bits_[i / kWordBits] |= uint64_t{1} << (i % kWordBits);
}

int CoreLevels::least_loaded() const {
  if (!has_room()) return kNone;
  for (size_t level = 0; level < levels_ && static_cast<int64_t>(level) < limit_; ++level) {
    const int core = lowest(level);
    if (core != kNone) return core;
  }
  return kNone;
}

int CoreLevels::lowest(size_t level) const {
  for (size_t word = 0; word < words_; ++word) {
    const uint64_t bits = bits_[level * words_ + word];
    if (bits != 0) return cores_[word * kWordBits + static_cast<size_t>(std::countr_zero(bits))];
  }
  return kNone;
}

void CoreLevels::move(size_t position, size_t from, size_t to) {
  if (to >= levels_) {
    levels_ = to + 1;
    bits_.resize(levels_ * words_);
  }
  const uint64_t bit = uint64_t{1} << (position % kWordBits);
  bits_[from * words_ + position / kWordBits] &= ~bit;
  bits_[to * words_ + position / kWordBits] |= bit;
  if (static_cast<int64_t>(from) >= limit_) --full_;
  if (static_cast<int64_t>(to) >= limit_) ++full_;
}

Placement::Placement(MachineState& state)
    : state_(state),
      pools_(static_cast<int>(state.topology.pools.size())),
      global_(state.schedule.depth_scope == DepthScope::Global),
      streams_(state.schedule) {
  const Schedule& schedule = state.schedule;
  groups_.resize(static_cast<size_t>(state.topology.schedulers * pools_) * 2);
  scopes_.resize(static_cast<size_t>(state.topology.schedulers * (global_ ? 1 : pools_)));
  // A scope's limit stands instead of one per core.
  const bool scoped = schedule.depth > 0 && (global_ || schedule.depth_scope == DepthScope::PerPool);
  if (scoped) {
    for (Scope& scope : scopes_) scope.limit = 0;
  }
  const auto& places = state.topology.cores;
  for (size_t id = 0; id < places.size(); ++id) {
    const CorePlace& place = places[id];
    Core& core = cores_.emplace_back();
    if (place.pool == Topology::kNoPool) continue;
    core.group = group_index(place.scheduler, place.pool, place.unit);
    core.position = groups_[core.group].size();
    core.scope = scope_index(place.scheduler, place.pool);
    groups_[core.group].add_core(static_cast<int>(id));
    if (scoped) scopes_[core.scope].limit += schedule.depth;
  }
  const int64_t per_core = schedule.depth > 0 ? schedule.depth : state.machine.core_slots;
  for (CoreLevels& group : groups_) group.seal(scoped ? INT64_MAX : per_core);
}

void Placement::enter(int core) {
  Core& entered = cores_[static_cast<size_t>(core)];
  groups_[entered.group].move(entered.position, entered.in_flight, entered.in_flight + 1);
  ++entered.in_flight;
  scopes_[entered.scope].enter();
  ++in_flight_;
}

void Placement::leave(int core) {
  Core& left = cores_[static_cast<size_t>(core)];
  groups_[left.group].move(left.position, left.in_flight, left.in_flight - 1);
  --left.in_flight;
  scopes_[left.scope].leave(state_.now);
  --in_flight_;
}

}  // namespace pto
