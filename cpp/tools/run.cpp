#include "run.h"

#include <pthread.h>

#include <csignal>
#include <iostream>

#include "arguments.h"

namespace pto {
namespace {

// Takes Ctrl-C and SIGTERM out of their default course while a run goes on; its threads inherit that.
class Interrupts {
 public:
  Interrupts() {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGINT);
    sigaddset(&signals_, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals_, &before_);
  }
  ~Interrupts() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

  bool pending() const {
    const timespec now = {0, 0};
    return sigtimedwait(&signals_, nullptr, &now) > 0;
  }

 private:
  sigset_t signals_, before_;
};

}  // namespace

RunResult run_to_end(Session& session, const RunOptions& options) {
  constexpr int64_t kPollMs = 20;
  const Interrupts interrupts;
  const auto run = session.start(options);
  while (!run->wait(kPollMs)) {
    if (!interrupts.pending()) continue;
    run->cancel();
    while (!run->wait(kPollMs)) continue;
    std::cerr << "ptosim: interrupted\n";
    throw Exit{130};
  }
  return run->result();
}

}  // namespace pto
