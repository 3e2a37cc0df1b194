#include "deps/box_index.h"

#include <bit>
#include <utility>

namespace pto {
namespace {

constexpr size_t kFirstBuckets = 1024;
// More shapes of one tensor share classes, so that a search looks at few of them.
constexpr size_t kExactClasses = 4;

uint8_t ceil_log2(int64_t extent) { return static_cast<uint8_t>(std::bit_width(static_cast<uint64_t>(extent) - 1)); }

std::array<uint8_t, PTO_MAX_RANK> shape_key(const Box& box) {
  std::array<uint8_t, PTO_MAX_RANK> key{};
  for (uint32_t d = 0; d < box.rank; ++d) key[d] = ceil_log2(box.end[d] - box.begin[d]);
  return key;
}

}  // namespace

BoxIndex::BoxIndex(std::vector<std::vector<int64_t>> extents)
    : extents_(std::move(extents)), classes_of_tensor_(extents_.size()), buckets_(kFirstBuckets, kNone) {}

BoxIndex::Place BoxIndex::locate(const Box& box) const {
  Place place;
  place.shape = existing_class_of(box);
  if (place.shape == kNone) return place;
  const ShapeClass& shape = classes_[place.shape];
  place.cell = cell_of(shape, box);
  place.alone =
      shape.exact && !shape.straddles && classes_of_tensor_[box.tensor].size() == 1 && fills_its_cell(shape, box);
  return place;
}

BoxIndex::Handle BoxIndex::insert(const Box& box) {
  if (live_ >= buckets_.size()) grow();
  Handle handle = free_;
  if (handle == kNone) {
    handle = static_cast<Handle>(nodes_.size());
    nodes_.emplace_back();
    begins_.emplace_back();
    positions_.emplace_back();
  } else {
    free_ = nodes_[handle].next;
  }
  const uint32_t shape_class = class_of(box);
  ShapeClass& shape = classes_[shape_class];
  if (shape.members.empty()) shape_cells(shape, box);
  widen(shape, box);
  if (!shape.exact) {
    if (extents_of_mixed_.size() <= handle) extents_of_mixed_.resize(nodes_.capacity());
    for (uint32_t d = 0; d < box.rank; ++d) extents_of_mixed_[handle][d] = box.end[d] - box.begin[d];
  }
  const int64_t cell = cell_of(shape, box);
  Handle& head = buckets_[bucket(shape, cell)];
  nodes_[handle] = {cell, shape_class, head};
  for (uint32_t d = 0; d < box.rank; ++d) begins_[handle][d] = box.begin[d];
  head = handle;
  positions_[handle] = static_cast<uint32_t>(shape.members.size());
  shape.members.push_back(handle);
  ++live_;
  return handle;
}

void BoxIndex::erase(Handle handle) {
  Node& node = nodes_[handle];
  ShapeClass& shape = classes_[node.shape];
  Handle* link = &buckets_[bucket(shape, node.cell)];
  while (*link != handle) link = &nodes_[*link].next;
  *link = node.next;
  const Handle moved = shape.members.back();
  shape.members[positions_[handle]] = moved;
  positions_[moved] = positions_[handle];
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

BoxIndex::Handle BoxIndex::find(const Box& box, const Place& place) const {
  if (place.shape == kNone || classes_[place.shape].members.empty()) return kNone;
  for (Handle h = buckets_[bucket(classes_[place.shape], place.cell)]; h != kNone; h = nodes_[h].next) {
    const Node& node = nodes_[h];
    if (node.cell == place.cell && node.shape == place.shape && (place.alone || is(h, box))) return h;
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
    for (uint32_t d = 0; d < box.rank; ++d) cell += at[d] * shape.stride[d];
    for (Handle h = buckets_[bucket(shape, cell)]; h != kNone; h = nodes_[h].next) {
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
    for (uint32_t d = 0; d < box.rank; ++d) same = same && shape.cell[d] == box.end[d] - box.begin[d];
    if (same) return candidate;
  }
  if (classes.size() <= kExactClasses) return kNone;
  const auto key = shape_key(box);
  for (size_t i = kExactClasses; i < classes.size(); ++i) {
    if (classes_[classes[i]].key == key) return classes[i];
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
  if (!exact) shape.key = shape_key(box);
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
    const int64_t cell = box.end[d] - box.begin[d];
    shape.cell[d] = cell;
    shape.shift[d] =
        std::has_single_bit(static_cast<uint64_t>(cell)) ? static_cast<int8_t>(ceil_log2(cell)) : int8_t{-1};
    shape.stride[d] = stride;
    shape.largest[d] = 0;
    shape.straddling[d] = false;
    const int64_t extent = d < extents.size() ? extents[d] : 1;
    shape.cells[d] = coordinate(shape, d, extent) + 1;
    stride *= shape.cells[d];
  }
}

void BoxIndex::widen(ShapeClass& shape, const Box& box) {
  for (uint32_t d = 0; d < box.rank; ++d) {
    shape.largest[d] = std::max(shape.largest[d], box.end[d] - box.begin[d]);
    const int64_t first = coordinate(shape, d, box.begin[d]), last = coordinate(shape, d, box.end[d] - 1);
    if (first >= shape.cells[d]) shape.straddles = true;
    if (first != last) shape.straddling[d] = shape.straddles = true;
  }
}

// Rounded down; an offset is not negative. Small numbers divide several times faster.
int64_t BoxIndex::coordinate(const ShapeClass& shape, uint32_t axis, int64_t offset) {
  if (shape.shift[axis] >= 0) return offset >> shape.shift[axis];
  const int64_t cell = shape.cell[axis];
  if (((offset | cell) >> 32) == 0) return static_cast<uint32_t>(offset) / static_cast<uint32_t>(cell);
  return offset / cell;
}

int64_t BoxIndex::cell_of(const ShapeClass& shape, const Box& box) {
  int64_t cell = 0;
  for (uint32_t d = 0; d < box.rank; ++d) cell += coordinate(shape, d, box.begin[d]) * shape.stride[d];
  return cell;
}

bool BoxIndex::fills_its_cell(const ShapeClass& shape, const Box& box) {
  for (uint32_t d = 0; d < box.rank; ++d) {
    const int64_t first = coordinate(shape, d, box.begin[d]);
    if (first * shape.cell[d] != box.begin[d] || first >= shape.cells[d]) return false;
  }
  return true;
}

// The cells in which a box of the class may begin that meets `box`.
BoxIndex::CellRange BoxIndex::cells_to_search(const ShapeClass& shape, const Box& box) {
  CellRange range;
  for (uint32_t d = 0; d < box.rank; ++d) {
    const int64_t reach = shape.straddling[d] ? shape.largest[d] - 1 : 0;
    range.first[d] = coordinate(shape, d, std::max<int64_t>(0, box.begin[d] - reach));
    range.last[d] = coordinate(shape, d, box.end[d] - 1);
    const auto cells = static_cast<uint64_t>(range.last[d] - range.first[d] + 1);
    // Saturates: a range beyond 2^32 cells is never searched cell by cell.
    range.cells = std::min<uint64_t>(range.cells, UINT32_MAX) * std::min<uint64_t>(cells, UINT32_MAX);
  }
  return range;
}

// Neighbouring cells lie side by side, in runs of 64; the runs lie anywhere.
size_t BoxIndex::bucket(const ShapeClass& shape, int64_t cell) const {
  const auto number = static_cast<uint64_t>(cell);
  uint64_t run = (number / 64 ^ shape.salt) * 0xD6E8FEB86659FD93ull;
  run ^= run >> 32;
  return (run * 64 | ((number ^ run >> 40) & 63)) & (buckets_.size() - 1);
}

void BoxIndex::grow() {
  buckets_.assign(buckets_.size() * 2, kNone);
  for (const ShapeClass& shape : classes_) {
    for (const Handle h : shape.members) {
      Handle& head = buckets_[bucket(shape, nodes_[h].cell)];
      nodes_[h].next = head;
      head = h;
    }
  }
}

}  // namespace pto
