// What a run's rows tell of its makespan (docs/analysis.md). Each function throws LoadError for rows that contradict
// each other.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "pto/trace.h"

namespace pto {

struct PathPiece {
  int64_t begin, end;          // cycles
  std::optional<Stall> cause;  // none: the task's tile
  int64_t task;                // that runs, or that waits
};

// The observed path: back from the task that ends last, each time to what the next begin waited for. The pieces come
// in order of time and tile [0, makespan).
std::vector<PathPiece> observed_path(const Trace& trace);

// Cycles of the pieces without a cause, then those of each cause.
std::array<int64_t, 1 + kStallCauses> path_totals(const std::vector<PathPiece>& path);

// The longest path through the edges, where each task takes its duration and edges take nothing: no machine runs the
// graph in less.
struct LongestPath {
  int64_t length = 0;          // cycles
  std::vector<int64_t> tasks;  // of one longest path, in order
  std::vector<int64_t> begin;  // of each of these on the path
  std::vector<int64_t>
      slack;  // per task of the run: how much longer it could take and `length` stay; 0 on longest paths
};
LongestPath longest_path(const Trace& trace);

// A number over time: value[i] holds from time[i] to time[i + 1]; before time[0] it is 0.
struct StepSeries {
  std::vector<int64_t> time, value;
  int64_t high_water = 0;  // within a cycle it may be above the value that the cycle ends with
};
StepSeries live_tasks(const Trace& trace);   // submitted, not retired
StepSeries ready_tasks(const Trace& trace);  // ready, not dispatched

// What HBM moved in `bins` parts of [0, makespan], of lengths that differ by a cycle at most. Each task's bytes move
// evenly in the time for which they were booked, or in its own where HBM is never the limit.
struct Transfers {
  std::vector<int64_t> edges;  // cycles; one more than there are bins, which are at most as many as cycles
  std::vector<int64_t> bytes;  // in each bin; they add up to what the tasks moved
};
Transfers hbm_transfers(const Trace& trace, int64_t bins);

// Both paths, a line per piece: `path,begin,end,cause,task,kernel,loc,axes`.
void write_critical_path_csv(const Trace& trace, std::ostream& out);
// The observed path by cause, and the length of the longest one.
std::string critical_path_summary(const Trace& trace);

}  // namespace pto
