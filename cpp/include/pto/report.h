// A run's statistics as text: JSON for programs, a few lines for people.
#pragma once

#include <string>

#include "pto/stats.h"

namespace pto {

// What the host spent, in seconds. Not part of virtual time, and different in each run.
struct HostTimes {
  double run = 0;  // from the run's start to its last cycle and value
};

// The fields are described in docs/trace-format.md.
std::string stats_json(const Stats& stats, const HostTimes& host, int64_t clock_hz);
// Makespan, utilisation per pool, share of each stall cause.
std::string stats_summary(const Stats& stats, int64_t clock_hz);

// Busy core cycles over all core cycles of the makespan, in [0, 1]; 0 where there are none.
double utilisation(const PoolStats& pool, int64_t makespan);

}  // namespace pto
