// Dependencies from shared elements: against a model that keeps every access ever made, and their memory.
#include <doctest/doctest.h>

#include <map>
#include <random>
#include <set>

#include "deps/overlap_tracker.h"
#include "deps/written_set.h"
#include "table_source.h"

namespace {

using namespace pto;
using pto::test::in;
using pto::test::inout;
using pto::test::out;
using pto::test::region_of;
using pto::test::Span;

// Rule 2, word for word: all live accesses, one by one.
class PlainTracker {
 public:
  explicit PlainTracker(int64_t window) : window_(window) {}

  std::map<int64_t, EdgeKind> add_task(int64_t id, const std::vector<Span>& operands) {
    std::map<int64_t, EdgeKind> edges;
    for (const Span& operand : operands) {
      for (const Access& access : live_) {
        if (id - access.task >= window_ || !share(access.span, operand)) continue;
        if (access.writes && operand.role != PTO_OUT) add(edges, access.task, EdgeKind::Raw);
        if (access.writes && operand.role != PTO_IN) add(edges, access.task, EdgeKind::Waw);
        if (!access.writes && operand.role != PTO_IN) add(edges, access.task, EdgeKind::War);
      }
    }
    for (const Span& operand : operands) {
      if (operand.role != PTO_IN) std::erase_if(live_, [&](const Access& a) { return inside(a.span, operand); });
    }
    for (const Span& operand : operands) {
      if (operand.role != PTO_OUT) live_.push_back({id, operand, false});
      if (operand.role != PTO_IN) live_.push_back({id, operand, true});
    }
    return edges;
  }

  // Rule 4: nothing where no live write is met.
  bool find_writers(const Span& region, std::set<int64_t>& writers) const {
    for (const Access& access : live_) {
      if (access.writes && share(access.span, region)) writers.insert(access.task);
    }
    return !writers.empty();
  }

 private:
  struct Access {
    int64_t task;
    Span span;
    bool writes;
  };
  static void add(std::map<int64_t, EdgeKind>& edges, int64_t source, EdgeKind kind) {
    const auto [at, added] = edges.emplace(source, kind);
    if (!added) at->second = std::min(at->second, kind);
  }
  static bool share(const Span& a, const Span& b) {
    if (a.tensor != b.tensor) return false;
    for (size_t d = 0; d < a.offset.size(); ++d) {
      if (std::min(a.offset[d] + a.extent[d], b.offset[d] + b.extent[d]) <= std::max(a.offset[d], b.offset[d])) {
        return false;
      }
    }
    return true;
  }
  static bool inside(const Span& a, const Span& b) {
    if (!share(a, b)) return false;
    for (size_t d = 0; d < a.offset.size(); ++d) {
      if (a.offset[d] < b.offset[d] || a.offset[d] + a.extent[d] > b.offset[d] + b.extent[d]) return false;
    }
    return true;
  }

  int64_t window_;
  std::vector<Access> live_;
};

std::vector<Edge> add(OverlapTracker& tracker, int64_t id, const std::vector<Span>& operands) {
  std::vector<pto_region> regions;
  std::vector<pto_role> roles;
  for (const Span& span : operands) {
    regions.push_back(region_of(span));
    roles.push_back(span.role);
  }
  std::vector<Edge> edges;
  tracker.add_task(id, regions, roles, edges);
  return edges;
}

using Shape = std::vector<int64_t>;

// How a test draws its boxes.
enum class Draw { Anywhere, Tiles, TilesAndStrays };

Span random_span(std::mt19937& random, const std::vector<Shape>& shapes, Draw draw) {
  const auto below = [&](int64_t n) { return static_cast<int64_t>(random() % static_cast<uint64_t>(n)); };
  Span span{static_cast<uint32_t>(below(static_cast<int64_t>(shapes.size()))), {}, {}, static_cast<pto_role>(below(3))};
  for (const int64_t extent : shapes[span.tensor]) {
    if (draw != Draw::Anywhere) {
      const int64_t tile = std::max<int64_t>(1, extent / 3);
      span.offset.push_back(below(extent / tile) * tile);
      const bool strays = draw == Draw::TilesAndStrays && below(6) == 0;
      span.extent.push_back(strays ? extent - span.offset.back() : tile);
    } else {
      span.offset.push_back(below(extent));
      span.extent.push_back(below(extent - span.offset.back() + 1));
    }
  }
  return span;
}

// The first `tiles` tasks access tiles alone.
void compare_with_model(uint32_t seed, int64_t window, Draw draw, int64_t tiles) {
  std::mt19937 random(seed);
  const std::vector<Shape> shapes = {{9}, {6, 12}, {1, 9, 4}, {}, {3, 3, 3, 3}, {100}};
  std::vector<TensorInfo> tensors;
  for (const Shape& shape : shapes) tensors.push_back({"x", 4, shape});
  OverlapTracker tracker(tensors, window);
  PlainTracker model(window);
  Draw drawn = Draw::Tiles;
  for (int64_t id = 0; id < 150; ++id) {
    if (id == tiles) drawn = draw;
    std::vector<Span> operands(random() % 4);
    for (Span& span : operands) span = random_span(random, shapes, drawn);
    const auto expected = model.add_task(id, operands);
    const auto edges = add(tracker, id, operands);
    std::map<int64_t, EdgeKind> found;
    for (const Edge& edge : edges) found[edge.source] = edge.kind;
    REQUIRE(found == expected);
    REQUIRE(std::is_sorted(edges.begin(), edges.end(), [](auto& a, auto& b) { return a.source < b.source; }));

    const Span read = random_span(random, shapes, Draw::TilesAndStrays);
    std::set<int64_t> expected_writers;
    const bool met = model.find_writers(read, expected_writers);
    std::erase_if(expected_writers, [&](int64_t writer) { return id + 1 - writer > window; });
    std::vector<int64_t> writers;
    REQUIRE(tracker.find_writers(region_of(read), id + 1, writers) == met);
    REQUIRE(std::set<int64_t>(writers.begin(), writers.end()) == expected_writers);
  }
}

}  // namespace

TEST_CASE("edges and writers equal those of a model that looks at every access") {
  for (uint32_t seed = 0; seed < 40; ++seed) {
    CAPTURE(seed);
    for (const int64_t window : {1000, 5, 1}) {
      compare_with_model(seed, window, Draw::Anywhere, 0);
      compare_with_model(seed, window, Draw::TilesAndStrays, 0);
      compare_with_model(seed, window, Draw::Anywhere, 100);
    }
  }
}

TEST_CASE("views of any rank: a scalar tensor has one element") {
  OverlapTracker tracker(std::vector<TensorInfo>{{"x", 4, {}}}, 10);
  CHECK(add(tracker, 0, {{0, {}, {}, PTO_OUT}}).empty());
  const auto edges = add(tracker, 1, {{0, {}, {}, PTO_INOUT}});
  REQUIRE(edges.size() == 1);
  CHECK(edges[0].kind == EdgeKind::Raw);
}

TEST_CASE("memory is bounded by the window, and what was written long ago melts into few boxes") {
  constexpr int64_t kTile = 16;
  constexpr int64_t kTiles = 64;
  const std::vector<TensorInfo> tensors = {{"x", 4, {kTiles * kTile, kTiles * kTile}}, {"w", 4, {4}}};
  OverlapTracker tracker(tensors, 32);
  int64_t id = 0;
  for (int round = 0; round < 3; ++round) {
    for (int64_t row = 0; row < kTiles; ++row) {
      for (int64_t col = 0; col < kTiles; ++col) {
        add(tracker, id++, {{0, {row * kTile, col * kTile}, {kTile, kTile}, PTO_OUT}, in(1, 0, 4)});
        CHECK(tracker.live_boxes() < 32 * 2 + 8);
      }
    }
  }
  std::vector<int64_t> writers;
  CHECK(tracker.find_writers(region_of({0, {0, 0}, {1, 1}, PTO_IN}), id, writers));
  CHECK(writers.empty());
  CHECK(!tracker.find_writers(region_of(in(1, 0, 4)), id, writers));
}

TEST_CASE("a set of written boxes covers a box where every element was written") {
  pto::WrittenSet written({{16, 16}});
  const auto box = [](int64_t row, int64_t col, int64_t rows, int64_t cols) {
    return pto::Box{0, 2, {row, col}, {row + rows, col + cols}};
  };
  std::vector<std::vector<bool>> cells(16, std::vector<bool>(16));
  std::mt19937 random(7);
  const auto below = [&random](int64_t n) { return static_cast<int64_t>(random() % static_cast<uint64_t>(n)); };
  int covered = 0;
  for (int i = 0; i < 2000; ++i) {
    if (i % 100 == 0) {
      written = pto::WrittenSet({{16, 16}});
      cells.assign(16, std::vector<bool>(16));
    }
    const int64_t r = below(16), c = below(16), rows = 1 + below(std::min<int64_t>(5, 16 - r)),
                  cols = 1 + below(std::min<int64_t>(5, 16 - c));
    bool all = true;
    for (int64_t y = r; y < r + rows; ++y) {
      for (int64_t x = c; x < c + cols; ++x) all = all && cells[y][x];
    }
    CHECK(written.covers(box(r, c, rows, cols)) == all);
    covered += all;
    if (i % 2 == 0) continue;
    written.add(box(r, c, rows, cols));
    for (int64_t y = r; y < r + rows; ++y) {
      for (int64_t x = c; x < c + cols; ++x) cells[y][x] = true;
    }
  }
  CHECK(covered > 100);
}
