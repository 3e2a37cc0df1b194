// Phase Reports: schedulers serve what cores report (rule 12).
#pragma once

#include "engine/index_set.h"
#include "engine/joins.h"
#include "engine/machine_state.h"
#include "engine/placement.h"
#include "engine/readiness.h"

namespace pto {

class Completions {
 public:
  Completions(MachineState& state, Readiness& readiness, Joins& joins, Placement& placement)
      : state_(state), readiness_(readiness), joins_(joins), placement_(placement), news_(state.servers.size()) {}

  // True where a scheduler became free, and has no report to serve: it may dispatch, perhaps to a core that became
  // free.
  bool run() {
    return (state_.events.has(EventKind::ServerFree) || state_.events.has(EventKind::Report)) && serve_reports();
  }

 private:
  bool serve_reports();
  void begin_services(size_t scheduler);
  int64_t begin_service(Server& server);
  int64_t serve(int64_t id, int64_t turn);
  int64_t resolve_successors(Task& task, int64_t turn);
  void finish_service(Server& server);

  MachineState& state_;
  Readiness& readiness_;
  Joins& joins_;
  Placement& placement_;
  IndexSet news_;  // schedulers that became free, or have a report that has just arrived: others begin no service
};

}  // namespace pto
