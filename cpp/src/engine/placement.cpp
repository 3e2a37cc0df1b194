#include "engine/placement.h"

namespace pto {

void CoreLevels::seal(int64_t limit) {
  limit_ = limit;
  open_ = cores_.size();
  words_ = (cores_.size() + kWordBits - 1) / kWordBits;
  bits_.assign(words_, 0);
  for (size_t i = 0; i < cores_.size(); ++i) bits_[i / kWordBits] |= uint64_t{1} << (i % kWordBits);
}

void CoreLevels::add_level() {
  ++levels_;
  bits_.resize(levels_ * words_);
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
    core.group = &groups_[group_index(place.scheduler, place.pool, place.unit)];
    core.position = core.group->size();
    core.scope = &scopes_[scope_index(place.scheduler, place.pool)];
    core.group->add_core(static_cast<int>(id));
    if (scoped) core.scope->limit += schedule.depth;
  }
  const int64_t per_core = schedule.depth > 0 ? schedule.depth : state.machine.core_slots;
  for (CoreLevels& group : groups_) group.seal(scoped ? INT64_MAX : per_core);
}

}  // namespace pto
