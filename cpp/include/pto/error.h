// One hierarchy of errors; the Python side mirrors it by name.
#pragma once

#include <stdexcept>
#include <string>

namespace pto {

struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};
// A machine profile that is missing a field, has a wrong type or an impossible value.
struct MachineError : Error {
  using Error::Error;
};
// A setting that does not exist, has a wrong value, or that this machine or program cannot honour.
struct ScheduleError : Error {
  using Error::Error;
};
// A task program that cannot be loaded: damaged, of another ABI, or no task program at all.
struct LoadError : Error {
  using Error::Error;
};
// What goes wrong while tasks run: a value out of range, a deadlock, a task that fits in no window.
struct ExecutionError : Error {
  using Error::Error;
};
// Thrown through a source when the run was cancelled; never reaches a user.
struct Stopped : std::exception {};

}  // namespace pto
