#include "engine/topology.h"

#include <algorithm>
#include <string>

#include "pto/error.h"

namespace pto {
namespace {

void require(bool holds, const std::string& what, int64_t found, const std::string& expected) {
  if (!holds) throw ScheduleError(what + " is " + std::to_string(found) + ": it must be " + expected);
}

void check(const MachineConfig& machine, const Schedule& schedule) {
  require(schedule.window >= 1, "window", schedule.window, "at least 1 task");
  require(schedule.batch >= 1, "batch", schedule.batch, "at least 1 task");
  require(schedule.start_threshold >= 1, "start threshold", schedule.start_threshold, "at least 1 task");
  require(schedule.depth >= 0, "depth", schedule.depth, "at least 1, or 0 for none");
  require(machine.core_slots >= 1, "core_slots", machine.core_slots, "at least 1");
  require(machine.schedulers >= 1, "schedulers", machine.schedulers, "at least 1");
  require(machine.cube_cores >= 0, "cores.cube", machine.cube_cores, "0 or more");
  require(machine.vector_cores >= 0, "cores.vector", machine.vector_cores, "0 or more");
  if (schedule.dispatch.empty()) throw ScheduleError("the schedule names no dispatch policy: give it at least one");
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

}  // namespace

Topology::Topology(const MachineConfig& machine, const Schedule& schedule)
    : schedulers(1), pools(schedule.pools == Pools::Single ? 1 : 2) {
  check(machine, schedule);
  schedulers = scheduler_count(machine, schedule);
  for (const pto_unit unit : {PTO_CUBE, PTO_VECTOR}) {
    const int count = unit == PTO_CUBE ? machine.cube_cores : machine.vector_cores;
    for (int k = 0; k < count; ++k) cores.push_back({unit, k % schedulers, pool_of(unit)});
    for (int s = 0; s < std::min(schedulers, count); ++s) owners[unit].push_back(s);
  }
}

}  // namespace pto
