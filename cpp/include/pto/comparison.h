// What other settings would be worth: runs of one program beside each other.
#pragma once

#include <string>
#include <vector>

#include "pto/session.h"

namespace pto {

struct ComparedRun {
  std::string what;  // the settings that it differs by
  RunResult result;
};

// A line per run: makespan, ratio to the base, utilisation of both units, the largest stall cause, and what that cause
// gained over the base. Stalls are shares of all core cycles of their run.
std::string comparison_table(const RunResult& base, const std::vector<ComparedRun>& runs);

}  // namespace pto
