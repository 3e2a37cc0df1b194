#include "engine/placement.h"

#include <bit>

namespace pto {
namespace {

constexpr size_t kWordBits = 64;

}  // namespace

void CoreLevels::seal(int64_t limit) {
  limit_ = limit;
  levels_.assign(1, Bits((cores_.size() + kWordBits - 1) / kWordBits));
  for (size_t i = 0; i < cores_.size(); ++i) levels_[0][i / kWordBits] |= uint64_t{1} << (i % kWordBits);
}

int CoreLevels::least_loaded() const {
  for (size_t level = 0; level < levels_.size() && static_cast<int64_t>(level) < limit_; ++level) {
    const int core = lowest(levels_[level]);
    if (core != kNone) return core;
  }
  return kNone;
}

int CoreLevels::lowest(const Bits& bits) const {
  for (size_t word = 0; word < bits.size(); ++word) {
    if (bits[word] != 0) return cores_[word * kWordBits + static_cast<size_t>(std::countr_zero(bits[word]))];
  }
  return kNone;
}

void CoreLevels::move(size_t position, size_t from, size_t to) {
  if (to >= levels_.size()) levels_.resize(to + 1, Bits(levels_[0].size()));
  const uint64_t bit = uint64_t{1} << (position % kWordBits);
  levels_[from][position / kWordBits] &= ~bit;
  levels_[to][position / kWordBits] |= bit;
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
