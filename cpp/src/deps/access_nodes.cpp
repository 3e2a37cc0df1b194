#include "deps/access_nodes.h"

namespace pto {

bool AccessNodes::add_tiles(int64_t id, std::span<const pto_region> operands, std::span<const pto_role> roles,
                            int64_t oldest, EdgeCollector& collector) {
  tiles_.clear();
  // All accesses of a task meet the state before it: first meet, then change.
  for (size_t i = 0; i < operands.size(); ++i) {
    const BoxIndex::Place place = index_.tile(operands[i]);
    if (place.shape == kNone) return false;
    Handle handle = index_.find_tile(place);
    if (handle == kNone) {
      handle = admit(index_.insert_tile(operands[i], place), id);
    } else {
      meet(handle, roles[i], oldest, collector);
    }
    tiles_.push_back(handle);
  }
  for (size_t i = 0; i < operands.size(); ++i) {
    if (roles[i] != PTO_IN) nodes_[tiles_[i]].clear();
    record(tiles_[i], roles[i], id, oldest);
  }
  return true;
}

}  // namespace pto
