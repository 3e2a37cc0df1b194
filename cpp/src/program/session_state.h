// What a session and its runs share.
#pragma once

#include <memory>
#include <mutex>

#include "program/tensors.h"
#include "program/values.h"
#include "pto/program.h"
#include "pto/session.h"

namespace pto {

struct Session::State {
  explicit State(std::shared_ptr<const LoadedProgram> loaded)
      : program(std::move(loaded)), tensors(program->program()) {}

  std::shared_ptr<const ReadLog> log() const {
    const std::lock_guard lock(mutex);
    return log_;
  }
  void set_log(std::shared_ptr<const ReadLog> log) {
    const std::lock_guard lock(mutex);
    log_ = std::move(log);
  }

  std::shared_ptr<const LoadedProgram> program;
  TensorTable tensors;
  mutable std::mutex mutex;
  bool running = false;  // guarded by the mutex

 private:
  std::shared_ptr<const ReadLog> log_;  // of the last execution that came to its end
};

}  // namespace pto
