#include "trace/csv.h"

#include "pto/trace.h"
#include "trace/columns.h"

namespace pto {
std::string axes_text(const TraceSite& site, const int64_t* values) {
  std::string text;
  for (size_t i = 0; i < site.axes.size(); ++i) {
    text += (i ? " " : "") + site.axes[i] + "=" + std::to_string(values[i]);
  }
  return text;
}

void write_tasks_csv(const Trace& trace, std::ostream& out) {
  Csv csv(out, "task,kernel,unit,core,scheduler,pool,stream,submit,ready,dispatch,start,end,retire,bound_by,loc,axes");
  const TaskColumns& t = trace.tasks;
  const int64_t* axes = t.axes.data();
  for (size_t i = 0; i < row_count(t); ++i) {
    const TraceSite& site = trace.header.sites[t.site[i]];
    csv.row(t.task[i], trace.header.kernels[t.kernel[i]].name, t.unit[i] == PTO_CUBE ? "cube" : "vector", t.core[i],
            t.scheduler[i], t.pool[i], t.stream[i], t.submit[i], t.ready[i], t.dispatch[i], t.start[i], t.end[i],
            t.retire[i], trace.bound_by[t.bound_by[i]], site.location, axes_text(site, axes));
    axes += t.axis_count[i];
  }
}

void write_edges_csv(const Trace& trace, std::ostream& out) {
  Csv csv(out, "src,dst,kind");
  const EdgeColumns& e = trace.edges;
  for (size_t i = 0; i < row_count(e); ++i) {
    csv.row(e.src[i], e.dst[i], edge_name(static_cast<EdgeKind>(e.kind[i])));
  }
}

void write_stalls_csv(const Trace& trace, std::ostream& out) {
  Csv csv(out, "core,begin,end,cause,task");
  const StallColumns& s = trace.stalls;
  for (size_t i = 0; i < row_count(s); ++i) {
    csv.row(s.core[i], s.begin[i], s.end[i], stall_name(static_cast<Stall>(s.cause[i])), s.task[i]);
  }
}

}  // namespace pto
