// Phase Reports: schedulers serve what cores report (rule 12).
#pragma once

#include "engine/joins.h"
#include "engine/machine_state.h"
#include "engine/placement.h"
#include "engine/readiness.h"

namespace pto {

class Completions {
 public:
  Completions(MachineState& state, Readiness& readiness, Joins& joins, Placement& placement)
      : state_(state), readiness_(readiness), joins_(joins), placement_(placement) {}

  // True where anything happened: a core or a scheduler may have become free.
  bool run() {
    const bool any = state_.events.has(EventKind::ServerFree) || state_.events.has(EventKind::Report);
    if (any) serve_reports();
    return any;
  }

 private:
  void serve_reports();
  void begin_services(size_t scheduler);
  int64_t begin_service(Server& server);
  int64_t serve(int64_t id, int64_t turn);
  int64_t resolve_successors(Task& task, int64_t turn);
  void finish_service(Server& server);

  MachineState& state_;
  Readiness& readiness_;
  Joins& joins_;
  Placement& placement_;
  int64_t waiting_ = 0;  // reports, over all schedulers
};

}  // namespace pto
