#include "deps/box_index.h"

#include <bit>

namespace pto {
namespace {

constexpr size_t kFirstBuckets = 1024;
// More shapes of one tensor share classes, so that a search looks at few of them.
constexpr size_t kExactClasses = 4;

uint8_t ceil_log2(int64_t extent) { return static_cast<uint8_t>(std::bit_width(static_cast<uint64_t>(extent) - 1)); }

}  // namespace

BoxIndex::BoxIndex(std::vector<std::vector<int64_t>> extents)
    : extents_(std::move(extents)),
      classes_of_tensor_(extents_.size()),
      tilings_(extents_.size()),
      buckets_(kFirstBuckets, kNone),
      bucket_mask_(kFirstBuckets - 1) {}

BoxIndex::Handle BoxIndex::insert(const Box& box) {
  const Handle handle = free_handle();
  const uint32_t shape_class = class_of(box);
  ShapeClass& shape = classes_[shape_class];
  if (shape.members.empty()) shape_cells(shape, box);
  widen(shape, box);
  if (!shape.exact) {
    if (extents_of_mixed_.size() <= handle) extents_of_mixed_.resize(nodes_.capacity());
    for (uint32_t d = 0; d < box.rank; ++d) extents_of_mixed_[handle][d] = box.end[d] - box.begin[d];
  }
  const int64_t cell = cell_of(shape, box);
  link(handle, shape_class, cell, bucket(shape.salt, cell));
  for (uint32_t d = 0; d < box.rank; ++d) begins_[handle][d] = box.begin[d];
  note_tiling(box.tensor);
  return handle;
}

void BoxIndex::note_tiling(uint32_t tensor) {
  const std::vector<uint32_t>& classes = classes_of_tensor_[tensor];
  const ShapeClass& shape = classes_[classes.front()];
  tilings_[tensor] = {};
  if (classes.size() > 1 || shape.straddles) return;
  tilings_[tensor] = {classes.front(), shape.salt, shape.axes};
}

void BoxIndex::erase(Handle handle) {
  Node& node = nodes_[handle];
  ShapeClass& shape = classes_[node.shape];
  Handle* link = &buckets_[node.bucket];
  while (*link != handle) link = &nodes_[*link].next;
  *link = node.next;
  const Handle moved = shape.members.back();
  shape.members[node.position] = moved;
  nodes_[moved].position = node.position;
  shape.members.pop_back();
  node.next = free_;
  free_ = handle;
  --live_;
}

Box BoxIndex::box(Handle handle) const {
  const ShapeClass& shape = classes_[nodes_[handle].shape];
  const Axes& begin = begins_[handle];
  Box box;
  box.tensor = shape.tensor;
  box.rank = shape.rank;
  for (uint32_t d = 0; d < box.rank; ++d) {
    box.begin[d] = begin[d];
    box.end[d] = begin[d] + extent(handle, shape, d);
  }
  return box;
}

bool BoxIndex::is(Handle handle, const Box& other) const {
  const ShapeClass& shape = classes_[nodes_[handle].shape];
  const Axes& begin = begins_[handle];
  if (shape.tensor != other.tensor) return false;
  for (uint32_t d = 0; d < other.rank; ++d) {
    if (begin[d] != other.begin[d] || begin[d] + extent(handle, shape, d) != other.end[d]) return false;
  }
  return true;
}

bool BoxIndex::lies_in(Handle handle, const Box& outer) const {
  const ShapeClass& shape = classes_[nodes_[handle].shape];
  const Axes& begin = begins_[handle];
  for (uint32_t d = 0; d < outer.rank; ++d) {
    if (begin[d] < outer.begin[d] || begin[d] + extent(handle, shape, d) > outer.end[d]) return false;
  }
  return true;
}

bool BoxIndex::meets(Handle handle, const ShapeClass& shape, const Box& box) const {
  const Axes& begin = begins_[handle];
  for (uint32_t d = 0; d < box.rank; ++d) {
    if (begin[d] >= box.end[d] || box.begin[d] >= begin[d] + extent(handle, shape, d)) return false;
  }
  return true;
}

BoxIndex::Handle BoxIndex::find(const Box& box) const {
  const uint32_t shape_class = existing_class_of(box);
  if (shape_class == kNone || classes_[shape_class].members.empty()) return kNone;
  const int64_t cell = cell_of(classes_[shape_class], box);
  for (Handle h = buckets_[bucket(classes_[shape_class].salt, cell)]; h != kNone; h = nodes_[h].next) {
    if (nodes_[h].cell == cell && nodes_[h].shape == shape_class && is(h, box)) return h;
  }
  return kNone;
}

void BoxIndex::find_overlapping(const Box& box, std::vector<Handle>& found) const {
  for (const uint32_t shape_class : classes_of_tensor_[box.tensor]) {
    const ShapeClass& shape = classes_[shape_class];
    if (shape.members.empty()) continue;
    const CellRange range = cells_to_search(shape, box);
    if (range.cells < shape.members.size()) {
      search_cells(shape_class, range, box, found);
      continue;
    }
    for (const Handle h : shape.members) {
      if (meets(h, shape, box)) found.push_back(h);
    }
  }
}

void BoxIndex::search_cells(uint32_t shape_class, const CellRange& range, const Box& box,
                            std::vector<Handle>& found) const {
  const ShapeClass& shape = classes_[shape_class];
  Axes at = range.first;
  for (uint64_t i = 0; i < range.cells; ++i) {
    int64_t cell = 0;
    for (uint32_t d = 0; d < box.rank; ++d) cell += at[d] * shape.axes[d].stride;
    for (Handle h = buckets_[bucket(shape.salt, cell)]; h != kNone; h = nodes_[h].next) {
      const Node& node = nodes_[h];
      if (node.cell == cell && node.shape == shape_class && meets(h, shape, box)) found.push_back(h);
    }
    for (uint32_t d = box.rank; d-- > 0;) {
      if (++at[d] <= range.last[d]) break;
      at[d] = range.first[d];
    }
  }
}

uint32_t BoxIndex::existing_class_of(const Box& box) const {
  const std::vector<uint32_t>& classes = classes_of_tensor_[box.tensor];
  for (const uint32_t candidate : classes) {
    const ShapeClass& shape = classes_[candidate];
    bool same = shape.exact;
    for (uint32_t d = 0; d < box.rank; ++d) same = same && shape.axes[d].cell == box.end[d] - box.begin[d];
    if (same) return candidate;
  }
  if (classes.size() <= kExactClasses) return kNone;
  for (size_t i = kExactClasses; i < classes.size(); ++i) {
    const ShapeClass& shape = classes_[classes[i]];
    bool same = true;
    for (uint32_t d = 0; d < box.rank; ++d) same = same && shape.axes[d].key == ceil_log2(box.end[d] - box.begin[d]);
    if (same) return classes[i];
  }
  return kNone;
}

uint32_t BoxIndex::class_of(const Box& box) {
  const uint32_t existing = existing_class_of(box);
  if (existing != kNone) return existing;
  return add_class(box, classes_of_tensor_[box.tensor].size() < kExactClasses);
}

uint32_t BoxIndex::add_class(const Box& box, bool exact) {
  const auto added = static_cast<uint32_t>(classes_.size());
  ShapeClass shape;
  shape.tensor = box.tensor;
  shape.rank = box.rank;
  shape.exact = exact;
  shape.salt = (added + 1) * 0x9E3779B97F4A7C15ull;
  for (uint32_t d = 0; d < box.rank; ++d) shape.axes[d].key = ceil_log2(box.end[d] - box.begin[d]);
  classes_.push_back(std::move(shape));
  classes_of_tensor_[box.tensor].push_back(added);
  return added;
}

// An empty class takes its cells from the box that comes.
void BoxIndex::shape_cells(ShapeClass& shape, const Box& box) const {
  const std::vector<int64_t>& extents = extents_[box.tensor];
  int64_t stride = 1;
  shape.straddles = false;
  for (uint32_t d = box.rank; d-- > 0;) {
    Axis& axis = shape.axes[d];
    axis.cell = box.end[d] - box.begin[d];
    axis.shift =
        std::has_single_bit(static_cast<uint64_t>(axis.cell)) ? static_cast<int8_t>(ceil_log2(axis.cell)) : int8_t{-1};
    axis.stride = stride;
    axis.largest = 0;
    axis.straddling = false;
    axis.cells = coordinate(axis, d < extents.size() ? extents[d] : 1) + 1;
    stride *= axis.cells;
  }
}

void BoxIndex::widen(ShapeClass& shape, const Box& box) {
  for (uint32_t d = 0; d < box.rank; ++d) {
    Axis& axis = shape.axes[d];
    axis.largest = std::max(axis.largest, box.end[d] - box.begin[d]);
    const int64_t first = coordinate(axis, box.begin[d]), last = coordinate(axis, box.end[d] - 1);
    if (first >= axis.cells) shape.straddles = true;
    if (first != last) axis.straddling = shape.straddles = true;
  }
}

int64_t BoxIndex::cell_of(const ShapeClass& shape, const Box& box) {
  int64_t cell = 0;
  for (uint32_t d = 0; d < box.rank; ++d) cell += coordinate(shape.axes[d], box.begin[d]) * shape.axes[d].stride;
  return cell;
}

// The cells in which a box of the class may begin that meets `box`.
BoxIndex::CellRange BoxIndex::cells_to_search(const ShapeClass& shape, const Box& box) {
  CellRange range;
  for (uint32_t d = 0; d < box.rank; ++d) {
    const Axis& axis = shape.axes[d];
    const int64_t reach = axis.straddling ? axis.largest - 1 : 0;
    range.first[d] = coordinate(axis, std::max<int64_t>(0, box.begin[d] - reach));
    range.last[d] = coordinate(axis, box.end[d] - 1);
    const auto cells = static_cast<uint64_t>(range.last[d] - range.first[d] + 1);
    // Saturates: a range beyond 2^32 cells is never searched cell by cell.
    range.cells = std::min<uint64_t>(range.cells, UINT32_MAX) * std::min<uint64_t>(cells, UINT32_MAX);
  }
  return range;
}

void BoxIndex::grow() {
  buckets_.assign(buckets_.size() * 2, kNone);
  bucket_mask_ = static_cast<uint32_t>(buckets_.size() - 1);
  for (const ShapeClass& shape : classes_) {
    for (const Handle h : shape.members) {
      Node& node = nodes_[h];
      node.bucket = bucket(shape.salt, node.cell);
      node.next = std::exchange(buckets_[node.bucket], h);
    }
  }
}

}  // namespace pto
