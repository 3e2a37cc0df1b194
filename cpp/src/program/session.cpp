#include "pto/session.h"

#include <utility>

#include "program/run.h"
#include "program/session_state.h"
#include "pto/error.h"

namespace pto {

Session::Session(std::shared_ptr<const LoadedProgram> program) : state_(std::make_shared<State>(std::move(program))) {}

Session::~Session() = default;

const pto_program& Session::program() const { return state_->program->program(); }

void Session::bind(const std::string& tensor, const TensorData& data) { state_->tensors.bind(tensor, data); }

const void* Session::data(const std::string& tensor) const { return state_->tensors.data(tensor); }

std::unique_ptr<Run> Session::start(const RunOptions& options) {
  return std::make_unique<Run>(std::make_unique<Run::Impl>(state_, options));
}

void Session::replay(const Session& other) {
  auto log = other.state_->log();
  if (!log) throw ExecutionError("there is nothing to replay: the other program has not been executed");
  state_->set_log(std::move(log));
}

}  // namespace pto
