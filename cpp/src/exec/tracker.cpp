#include "exec/tracker.h"

#include <algorithm>
#include <bit>

#include "tile/splitmix.h"

namespace pto {
namespace {

using Coordinates = std::array<int64_t, PTO_MAX_RANK>;

bool is_empty(const pto_region& region) {
  return std::any_of(region.extent, region.extent + region.rank, [](int64_t n) { return n <= 0; });
}

bool meets(const pto_region& a, const pto_region& b) {
  for (uint32_t d = 0; d < a.rank; ++d) {
    if (a.offset[d] >= b.offset[d] + b.extent[d] || b.offset[d] >= a.offset[d] + a.extent[d]) return false;
  }
  return true;
}

bool contains(const pto_region& a, const pto_region& b) {
  for (uint32_t d = 0; d < a.rank; ++d) {
    if (b.offset[d] < a.offset[d] || b.offset[d] + b.extent[d] > a.offset[d] + a.extent[d]) return false;
  }
  return true;
}

// Different cells may share a key: what is found there is compared anyway.
uint64_t cell_key(const Coordinates& cell, uint32_t rank) {
  uint64_t key = 0;
  for (uint32_t d = 0; d < rank; ++d) key = splitmix64(key ^ static_cast<uint64_t>(cell[d]));
  return key;
}

}  // namespace

void BoxIndex::visit(const pto_region& region, const Forget& forget) {
  for (Level& level : levels_) {
    if (level.entries > 0) visit_level(level, region, forget);
  }
}

void BoxIndex::visit_level(Level& level, const pto_region& region, const Forget& forget) {
  Coordinates first{}, last{};
  int64_t count = 1;
  for (uint32_t d = 0; d < region.rank; ++d) {
    first[d] = std::max<int64_t>(region.offset[d] >> level.shift[d], 1) - 1;
    last[d] = (region.offset[d] + region.extent[d] - 1) >> level.shift[d];
    if (__builtin_mul_overflow(count, last[d] - first[d] + 1, &count)) count = INT64_MAX;
  }
  if (count > level.entries) {
    for (auto& [key, cell] : level.cells) visit_cell(level, cell, forget);
    return;
  }
  Coordinates at = first;
  for (int64_t i = 0; i < count; ++i) {
    const auto cell = level.cells.find(cell_key(at, region.rank));
    if (cell != level.cells.end()) visit_cell(level, cell->second, forget);
    for (uint32_t d = region.rank; d-- > 0;) {
      if (++at[d] <= last[d]) break;
      at[d] = first[d];
    }
  }
}

void BoxIndex::visit_cell(Level& level, Cell& cell, const Forget& forget) {
  const auto dropped = std::erase_if(cell, [&](const Entry& entry) { return forget(entry.id, entry.box); });
  level.entries -= static_cast<int64_t>(dropped);
}

void BoxIndex::insert(int64_t id, const pto_region& region, const Done& done) {
  Level& level = level_of(region);
  if (--level.until_sweep < 0) sweep(level, done);
  Coordinates cell{};
  for (uint32_t d = 0; d < region.rank; ++d) cell[d] = region.offset[d] >> level.shift[d];
  level.cells[cell_key(cell, region.rank)].push_back({id, region});
  ++level.entries;
}

BoxIndex::Level& BoxIndex::level_of(const pto_region& region) {
  Level level;
  for (uint32_t d = 0; d < region.rank; ++d) {
    level.shift[d] = static_cast<uint8_t>(std::bit_width(static_cast<uint64_t>(region.extent[d] - 1)));
  }
  const auto known = std::ranges::find(levels_, level.shift, &Level::shift);
  return known != levels_.end() ? *known : levels_.emplace_back(std::move(level));
}

// Keeps the memory in proportion to the live boxes, at a constant cost per insert.
void BoxIndex::sweep(Level& level, const Done& done) {
  for (auto& [key, cell] : level.cells) {
    visit_cell(level, cell, [&](int64_t id, const pto_region&) { return done(id); });
  }
  std::erase_if(level.cells, [](const auto& item) { return item.second.empty(); });
  constexpr int64_t kLeast = 1024;
  level.until_sweep = std::max(kLeast, level.entries);
}

void RegionTracker::find(const pto_region& region, bool write, const Done& done, const Found& found) {
  if (is_empty(region)) return;
  const auto visit = [&](int64_t id, const pto_region& box) {
    if (done(id)) return true;
    if (!meets(box, region)) return false;
    found(id);
    return write && contains(region, box);
  };
  writes_.visit(region, visit);
  if (write) reads_.visit(region, visit);
}

void RegionTracker::insert(int64_t id, const pto_region& region, bool write, const Done& done) {
  if (!is_empty(region)) (write ? writes_ : reads_).insert(id, region, done);
}

}  // namespace pto
