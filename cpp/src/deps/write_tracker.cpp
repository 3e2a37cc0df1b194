#include "deps/write_tracker.h"

namespace pto {

void WriteTracker::add_task(int64_t id, std::span<const pto_region> operands, std::span<const pto_role> roles,
                            std::vector<Edge>& edges) {
  regions_.clear();
  for (size_t i = 0; i < operands.size(); ++i) {
    if (roles[i] != PTO_IN) regions_.push_back(operands[i]);
  }
  roles_.assign(regions_.size(), PTO_OUT);
  writes_.add_task(id, regions_, roles_, edges);
  edges.clear();
}

}  // namespace pto
