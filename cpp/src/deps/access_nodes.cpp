#include "deps/access_nodes.h"

namespace pto {

void AccessNodes::meet_readers(const IdRuns& readers, int64_t oldest, EdgeCollector& collector) {
  readers.visit_from(oldest, [&collector](int64_t reader) { collector.add(reader, EdgeKind::War); });
}

}  // namespace pto
