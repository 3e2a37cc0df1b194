// Who serves whom: pools, and which scheduler each core belongs to (rules 6 and 7).
#pragma once

#include <array>
#include <string>
#include <vector>

#include "pto/config.h"
#include "pto/source.h"

namespace pto {

struct CorePlace {
  pto_unit unit;
  int pool;       // Topology::kNoPool: a custom pool has not taken it, and no task runs there
  int scheduler;  // of that pool's cores of that unit
  int group;      // of Topology::groups
};

struct Pool {
  std::string name;
  std::array<int, 2> cores{};  // by unit
  // The schedulers that own a core of the unit: 0 to this number - 1.
  std::array<int, 2> owners{};

  // A queue of this pool may hold tasks of two units that both have cores.
  bool has_both_units() const { return cores[PTO_CUBE] > 0 && cores[PTO_VECTOR] > 0; }
};

// Cores that statistics add up: those of one unit in one custom pool, or else of one unit.
struct CoreGroup {
  std::string name;
  int cores = 0;
};

struct Topology {
  static constexpr int kNoPool = -1;

  // Throws ScheduleError for a schedule or machine with impossible numbers.
  Topology(const MachineConfig& machine, const Schedule& schedule);

  // Where no key function says it.
  int pool_of(pto_unit unit) const { return pools.size() == 1 ? 0 : static_cast<int>(unit); }

  int schedulers = 1;
  std::vector<Pool> pools;
  std::vector<CorePlace> cores;  // by global id: cube first
  std::vector<CoreGroup> groups;

 private:
  void add_cores(pto_unit unit, int count, int pool, int group);
  void add_custom_pools(const MachineConfig& machine, const Schedule& schedule);
  int add_group(const std::string& name, int cores);
};

}  // namespace pto
