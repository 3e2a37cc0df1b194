#include "engine/topology.h"

#include <algorithm>
#include <string>

#include "pto/error.h"

namespace pto {
namespace {

constexpr std::array<pto_unit, 2> kUnits = {PTO_CUBE, PTO_VECTOR};
constexpr std::array<const char*, 2> kUnitNames = {"cube", "vector"};

void require(bool holds, const std::string& what, int64_t found, const std::string& expected) {
  if (!holds) throw ScheduleError(what + " is " + std::to_string(found) + ": it must be " + expected);
}

void check(const MachineConfig& machine, const Schedule& schedule) {
  require(schedule.window >= 1, "window", schedule.window, "at least 1");
  require(schedule.batch >= 1, "batch", schedule.batch, "at least 1 task");
  require(schedule.start_threshold >= 1, "start threshold", schedule.start_threshold, "at least 1 task");
  require(schedule.timing_number >= 1, "the timing policy's number", schedule.timing_number, "at least 1");
  require(schedule.streams >= 0, "streams", schedule.streams, "at least 1, or 0 for none");
  require(schedule.depth >= 0, "depth", schedule.depth, "at least 1, or 0 for none");
  require(machine.core_slots >= 1, "core_slots", machine.core_slots, "at least 1");
  require(machine.schedulers >= 1, "schedulers", machine.schedulers, "at least 1");
  require(machine.cube_cores >= 0, "cores.cube", machine.cube_cores, "0 or more");
  require(machine.vector_cores >= 0, "cores.vector", machine.vector_cores, "0 or more");
  if (schedule.dispatch.empty()) throw ScheduleError("the schedule names no dispatch policy: give it at least one");
}

// A setting that could do nothing is a mistake.
void check_scope(const Schedule& schedule) {
  if (schedule.stream_key != kNoKey && schedule.streams == 0) {
    throw ScheduleError("stream_by chooses among streams, and `streams` is 0: set it");
  }
  if (schedule.depth_scope == DepthScope::Core) return;
  if (schedule.depth == 0)
    throw ScheduleError("depth_scope belongs to `depth`, which is 0: set it, or depth_scope=core");
  if (schedule.depth_scope == DepthScope::PerStream && schedule.streams == 0) {
    throw ScheduleError("depth_scope=per_stream limits streams, and `streams` is 0: set it");
  }
}

int scheduler_count(const MachineConfig& machine, const Schedule& schedule) {
  int count = 0;
  for (const DispatchStep& step : schedule.dispatch) {
    const int named = step.policy.schedulers;
    require(named >= 0, "round_robin's number of schedulers", named, "at least 1");
    count = std::max(count, named > 0 ? named : machine.schedulers);
  }
  require(count <= machine.schedulers_max, "the number of schedulers", count,
          "at most the machine's schedulers_max, " + std::to_string(machine.schedulers_max));
  return count;
}

int cores_of(const MachineConfig& machine, pto_unit unit) {
  return unit == PTO_CUBE ? machine.cube_cores : machine.vector_cores;
}

int cores_of(const CustomPool& pool, pto_unit unit) { return unit == PTO_CUBE ? pool.cube_cores : pool.vector_cores; }

}  // namespace

Topology::Topology(const MachineConfig& machine, const Schedule& schedule) {
  check(machine, schedule);
  check_scope(schedule);
  schedulers = scheduler_count(machine, schedule);
  if (schedule.pools == Pools::Custom) {
    add_custom_pools(machine, schedule);
    return;
  }
  if (schedule.pools == Pools::Single) {
    pools = {{"all"}};
  } else {
    for (const char* name : kUnitNames) pools.push_back({name});
  }
  for (const pto_unit unit : kUnits) {
    const int count = cores_of(machine, unit);
    add_cores(unit, count, pool_of(unit), add_group(kUnitNames[unit], count));
  }
}

// Each pool takes its cores in order of declaration; the machine may have more.
void Topology::add_custom_pools(const MachineConfig& machine, const Schedule& schedule) {
  for (const CustomPool& pool : schedule.custom_pools) pools.push_back({pool.name});
  for (const pto_unit unit : kUnits) {
    int left = cores_of(machine, unit);
    for (size_t pool = 0; pool < pools.size(); ++pool) {
      const int count = cores_of(schedule.custom_pools[pool], unit);
      require(count <= left, "pool `" + pools[pool].name + "`'s number of " + kUnitNames[unit] + " cores", count,
              "at most " + std::to_string(left) + ", which the machine has left");
      left -= count;
      if (count == 0) continue;
      add_cores(unit, count, static_cast<int>(pool), add_group(pools[pool].name + "." + kUnitNames[unit], count));
    }
    if (left > 0) add_cores(unit, left, kNoPool, add_group(std::string("unused.") + kUnitNames[unit], left));
  }
}

int Topology::add_group(const std::string& name, int cores_in_it) {
  groups.push_back({name, cores_in_it});
  return static_cast<int>(groups.size() - 1);
}

void Topology::add_cores(pto_unit unit, int count, int pool, int group) {
  for (int k = 0; k < count; ++k) cores.push_back({unit, pool, k % schedulers, group});
  if (pool == kNoPool) return;
  pools[static_cast<size_t>(pool)].cores[unit] = count;
  pools[static_cast<size_t>(pool)].owners[unit] = std::min(schedulers, count);
}

}  // namespace pto
