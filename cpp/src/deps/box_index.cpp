#include "deps/box_index.h"

#include <bit>
#include <utility>

namespace pto {
namespace {

constexpr size_t kFirstBuckets = 1024;

uint8_t ceil_log2(int64_t extent) { return static_cast<uint8_t>(std::bit_width(static_cast<uint64_t>(extent) - 1)); }

// Rounded down; a is not negative. Small numbers divide several times faster.
int64_t quotient(int64_t a, int64_t b) {
  if (((a | b) >> 32) == 0) return static_cast<uint32_t>(a) / static_cast<uint32_t>(b);
  return a / b;
}

std::array<uint8_t, PTO_MAX_RANK> shape_key(const Box& box) {
  std::array<uint8_t, PTO_MAX_RANK> key{};
  for (uint32_t d = 0; d < box.rank; ++d) key[d] = ceil_log2(box.end[d] - box.begin[d]);
  return key;
}

}  // namespace

BoxIndex::BoxIndex(std::vector<std::vector<int64_t>> extents)
    : extents_(std::move(extents)), classes_of_tensor_(extents_.size()), buckets_(kFirstBuckets, kNone) {}

BoxIndex::Handle BoxIndex::insert(const Box& box) {
  if (live_ >= buckets_.size()) grow();
  Handle handle = free_;
  if (handle == kNone) {
    handle = static_cast<Handle>(nodes_.size());
    nodes_.emplace_back();
  } else {
    free_ = nodes_[handle].next;
  }
  const uint32_t shape_class = class_of(box);
  ShapeClass& shape = classes_[shape_class];
  if (shape.members.empty()) shape_cells(shape, box);
  widen(shape, box);
  Node& node = nodes_[handle];
  node.box = box;
  node.shape_class = shape_class;
  node.position = static_cast<uint32_t>(shape.members.size());
  node.cell = cell_of(shape, box);
  shape.members.push_back(handle);
  Handle& head = buckets_[bucket(shape, node.cell)];
  node.next = head;
  head = handle;
  ++live_;
  return handle;
}

void BoxIndex::erase(Handle handle) {
  Node& node = nodes_[handle];
  ShapeClass& shape = classes_[node.shape_class];
  Handle* link = &buckets_[bucket(shape, node.cell)];
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

BoxIndex::Handle BoxIndex::find(const Box& box) const {
  const uint32_t shape_class = existing_class_of(box);
  if (shape_class == kNone || classes_[shape_class].members.empty()) return kNone;
  const ShapeClass& shape = classes_[shape_class];
  const int64_t cell = cell_of(shape, box);
  for (Handle h = buckets_[bucket(shape, cell)]; h != kNone; h = nodes_[h].next) {
    const Node& node = nodes_[h];
    if (node.cell == cell && node.shape_class == shape_class && same_elements(node.box, box)) return h;
  }
  return kNone;
}

void BoxIndex::find_overlapping(const Box& box, std::vector<Handle>& found) const {
  for (const uint32_t shape_class : classes_of_tensor_[box.tensor]) {
    const ShapeClass& shape = classes_[shape_class];
    if (shape.members.empty()) continue;
    const CellRange range = cells_to_search(shape, box);
    if (range.cells < shape.members.size()) {
      search_cells(shape, shape_class, range, box, found);
      continue;
    }
    for (const Handle h : shape.members) {
      if (share_an_element(nodes_[h].box, box)) found.push_back(h);
    }
  }
}

void BoxIndex::search_cells(const ShapeClass& shape, uint32_t shape_class, const CellRange& range, const Box& box,
                            std::vector<Handle>& found) const {
  Axes at = range.first;
  for (uint64_t i = 0; i < range.cells; ++i) {
    int64_t cell = 0;
    for (uint32_t d = 0; d < box.rank; ++d) cell += at[d] * shape.stride[d];
    for (Handle h = buckets_[bucket(shape, cell)]; h != kNone; h = nodes_[h].next) {
      const Node& node = nodes_[h];
      if (node.cell == cell && node.shape_class == shape_class && share_an_element(node.box, box)) found.push_back(h);
    }
    for (uint32_t d = box.rank; d-- > 0;) {
      if (++at[d] <= range.last[d]) break;
      at[d] = range.first[d];
    }
  }
}

uint32_t BoxIndex::existing_class_of(const Box& box) const {
  const auto key = shape_key(box);
  for (const uint32_t shape_class : classes_of_tensor_[box.tensor]) {
    if (classes_[shape_class].key == key) return shape_class;
  }
  return kNone;
}

uint32_t BoxIndex::class_of(const Box& box) {
  const uint32_t existing = existing_class_of(box);
  if (existing != kNone) return existing;
  const auto added = static_cast<uint32_t>(classes_.size());
  ShapeClass shape;
  shape.key = shape_key(box);
  shape.salt = (added + 1) * 0x9E3779B97F4A7C15ull;
  classes_.push_back(std::move(shape));
  classes_of_tensor_[box.tensor].push_back(added);
  return added;
}

// An empty class takes its cells from the box that comes.
void BoxIndex::shape_cells(ShapeClass& shape, const Box& box) const {
  const std::vector<int64_t>& extents = extents_[box.tensor];
  int64_t stride = 1;
  for (uint32_t d = box.rank; d-- > 0;) {
    shape.cell[d] = box.end[d] - box.begin[d];
    shape.stride[d] = stride;
    shape.largest[d] = 0;
    shape.straddles[d] = false;
    const int64_t extent = d < extents.size() ? extents[d] : 1;
    stride *= quotient(extent, shape.cell[d]) + 1;
  }
}

void BoxIndex::widen(ShapeClass& shape, const Box& box) {
  for (uint32_t d = 0; d < box.rank; ++d) {
    shape.largest[d] = std::max(shape.largest[d], box.end[d] - box.begin[d]);
    if (quotient(box.begin[d], shape.cell[d]) != quotient(box.end[d] - 1, shape.cell[d])) shape.straddles[d] = true;
  }
}

int64_t BoxIndex::cell_of(const ShapeClass& shape, const Box& box) {
  int64_t cell = 0;
  for (uint32_t d = 0; d < box.rank; ++d) cell += quotient(box.begin[d], shape.cell[d]) * shape.stride[d];
  return cell;
}

// The cells in which a box of the class may begin that meets `box`.
BoxIndex::CellRange BoxIndex::cells_to_search(const ShapeClass& shape, const Box& box) {
  CellRange range;
  for (uint32_t d = 0; d < box.rank; ++d) {
    const int64_t reach = shape.straddles[d] ? shape.largest[d] - 1 : 0;
    range.first[d] = quotient(std::max<int64_t>(0, box.begin[d] - reach), shape.cell[d]);
    range.last[d] = quotient(box.end[d] - 1, shape.cell[d]);
    const auto cells = static_cast<uint64_t>(range.last[d] - range.first[d] + 1);
    // Saturates: a range beyond 2^32 cells is never searched cell by cell.
    range.cells = std::min<uint64_t>(range.cells, UINT32_MAX) * std::min<uint64_t>(cells, UINT32_MAX);
  }
  return range;
}

size_t BoxIndex::bucket(const ShapeClass& shape, int64_t cell) const {
  uint64_t mixed = (static_cast<uint64_t>(cell) ^ shape.salt) * 0xD6E8FEB86659FD93ull;
  mixed ^= mixed >> 32;
  return mixed & (buckets_.size() - 1);
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
