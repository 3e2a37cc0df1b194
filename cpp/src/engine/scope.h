// A limit of tasks in flight (rule 10).
#pragma once

#include <cstdint>

namespace pto {

struct Scope {
  int64_t limit = INT64_MAX;
  int64_t in_flight = 0;
  int64_t opened = 0;  // the cycle in which it was full last and a task left; 0 if it was never full

  bool is_open() const { return in_flight < limit; }
  void enter() { ++in_flight; }
  // True where this opens the scope.
  bool leave(int64_t now) {
    const bool opens = in_flight-- == limit;
    if (opens) opened = now;
    return opens;
  }
};

}  // namespace pto
