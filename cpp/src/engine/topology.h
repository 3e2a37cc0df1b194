// Who serves whom: pools, and which scheduler each core belongs to (rules 6 and 7).
#pragma once

#include <vector>

#include "pto/config.h"
#include "pto/source.h"

namespace pto {

struct CorePlace {
  pto_unit unit;
  int scheduler;
  int pool;
};

struct Topology {
  // Throws ScheduleError for a schedule or machine with impossible numbers.
  Topology(const MachineConfig& machine, const Schedule& schedule);

  int pool_of(pto_unit unit) const { return pools == 1 ? 0 : static_cast<int>(unit); }
  // A queue of this pool may hold tasks of two units that both have cores.
  bool has_both_units() const { return pools == 1 && !owners[PTO_CUBE].empty() && !owners[PTO_VECTOR].empty(); }

  int schedulers;
  int pools;
  std::vector<CorePlace> cores;  // by global id: cube first
  std::vector<int> owners[2];    // by unit: the schedulers that own a core of it, ascending
};

}  // namespace pto
