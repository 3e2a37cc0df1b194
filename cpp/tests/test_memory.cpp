// The memories that all cores share: servers, cells, what L2 holds.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <list>
#include <map>
#include <random>
#include <vector>

#include "memory/cells.h"
#include "memory/residency.h"
#include "memory/server.h"
#include "memory/shared_memory.h"

namespace {

using namespace pto;

pto_region box(uint32_t tensor, std::vector<int64_t> offsets, std::vector<int64_t> extents) {
  pto_region region{};
  region.tensor = tensor;
  region.rank = static_cast<uint32_t>(extents.size());
  std::copy(offsets.begin(), offsets.end(), region.offset);
  std::copy(extents.begin(), extents.end(), region.extent);
  return region;
}

TensorInfo tensor(std::vector<int64_t> extent, int64_t element_bytes = 1) {
  return {"t", element_bytes, std::move(extent), true};
}

KernelInfo kernel(std::vector<pto_role> roles, int64_t load_bytes = 0, int64_t bytes = 0) {
  KernelInfo info;
  info.name = "k";
  info.roles = std::move(roles);
  info.cost.load_bytes = load_bytes;
  info.cost.bytes = info.cost.moved_bytes = bytes;
  return info;
}

std::vector<Touch> touches(Cells& cells, const std::vector<pto_region>& operands, const KernelCost& cost = {.bytes = 1},
                           const std::vector<int64_t>& loads = {}) {
  pto_task task{};
  task.operands = operands.data();
  return cells.touches(task, cost, loads);
}

// A machine whose HBM moves a byte in a cycle.
MachineConfig machine(int64_t l2_capacity, int64_t l2_bytes = 4) {
  MachineConfig config;
  config.memory_bytes = config.memory_cycles = 1;
  config.l2_capacity = l2_capacity;
  config.l2_bytes = l2_bytes;
  return config;
}

// Books tasks of one kernel on one region each.
class Tasks {
 public:
  Tasks(const MachineConfig& config, const Schedule& schedule, KernelInfo info, std::vector<TensorInfo> tensors)
      : kernels_{std::move(info)},
        cells_(kernels_, tensors),
        has_l2_(SharedMemory::has_l2(config, schedule)),
        memory_(config, schedule) {
    memory_.add(kernels_[0].cost);
  }

  MemoryUse book(int64_t start, const std::vector<pto_region>& operands) {
    if (!has_l2_) return memory_.book_hbm(start, 0);
    const uint64_t first = store_.end();
    for (const Touch& touch : touches(cells_, operands, kernels_[0].cost)) store_.push(touch);
    return memory_.book_both(start, 0, store_, first, static_cast<uint32_t>(store_.end() - first));
  }

 private:
  std::vector<KernelInfo> kernels_;
  Cells cells_;
  TouchStore store_;
  bool has_l2_;
  SharedMemory memory_;
};

}  // namespace

TEST_CASE("server: all that is booked takes its time, first blocks go before the rest") {
  MemoryServer server(2, 1);
  CHECK(server.time_of(0) == 0);
  CHECK(server.time_of(3) == 2);
  CHECK(server.time_of(int64_t{1} << 61) == int64_t{1} << 60);
  const auto one = server.book(10, 1, 100);
  CHECK(one.first_end == 11);
  CHECK(one.end == 110);
  // It waits for the other's first block, not for what that one fetches ahead.
  const auto two = server.book(10, 1, 50);
  CHECK(two.first_end == 12);
  CHECK(two.end == 160);
  const auto nothing = server.book(10, 0, 0);
  CHECK(nothing.first_end == 10);
  CHECK(nothing.end == 10);
  CHECK(server.busy() == 150);
}

TEST_CASE("server: no set of tasks is through before its bytes are") {
  std::mt19937 random(7);
  MemoryServer server(3, 2);
  int64_t now = 0, bytes = 0;
  for (int i = 0; i < 1000; ++i) {
    const int64_t size = random() % 100;
    bytes += size;
    const auto booking = server.book(now, server.time_of(size / 3), server.time_of(size));
    CHECK(booking.end >= booking.first_end - server.time_of(size));
    if (size > 0) CHECK(booking.end * 3 >= bytes * 2 - now * 3);
    now += random() % 3 == 0 ? random() % 40 : 0;
  }
  CHECK(server.busy() * 3 >= bytes * 2);
}

TEST_CASE("cells: the first region decides, the parts add up") {
  const std::vector<KernelInfo> kernels = {kernel({PTO_IN}, 0, 1)};
  const std::vector<TensorInfo> tensors = {tensor({8, 12}, 2)};
  Cells cells(kernels, tensors);
  // Cells of 2 x 5: 4 x 3 of them, the last column is 2 wide.
  CHECK(touches(cells, {box(0, {0, 0}, {2, 5})}) == std::vector<Touch>{{0, false, 20, 20}});
  CHECK(touches(cells, {box(0, {2, 10}, {2, 2})}) == std::vector<Touch>{{5, false, 8, 8}});
  CHECK(touches(cells, {box(0, {1, 4}, {2, 2})}) ==
        std::vector<Touch>{{0, false, 2, 20}, {1, false, 2, 20}, {3, false, 2, 20}, {4, false, 2, 20}});
  std::mt19937 random(1);
  for (int i = 0; i < 500; ++i) {
    const int64_t row = random() % 8, column = random() % 12;
    const int64_t rows = 1 + random() % (8 - row), columns = 1 + random() % (12 - column);
    int64_t sum = 0;
    for (const Touch& touch : touches(cells, {box(0, {row, column}, {rows, columns})})) {
      CHECK(touch.cell < 12);
      CHECK(touch.bytes <= touch.size);
      sum += touch.bytes;
    }
    CHECK(sum == rows * columns * 2);
  }
}

TEST_CASE("cells: at most 4096 of a tensor, long along its last axes") {
  const std::vector<KernelInfo> kernels = {kernel({PTO_IN}, 0, 1)};
  const std::vector<TensorInfo> tensors = {tensor({128, 4096, 576})};
  Cells cells(kernels, tensors);
  const std::vector<Touch> row = touches(cells, {box(0, {3, 200, 0}, {1, 1, 576})});
  REQUIRE(row.size() == 1);
  CHECK(row[0].size == 128 * 576);
  CHECK(row[0].bytes == 576);
  CHECK(row[0].cell == 3 * 32 + 1);
}

TEST_CASE("cells: roles, empty regions, kernels that take a part of their regions") {
  std::vector<KernelInfo> kernels = {kernel({PTO_IN, PTO_OUT, PTO_INOUT}, 0, 1)};
  const std::vector<TensorInfo> tensors = {tensor({10}), tensor({10}), tensor({10})};
  Cells cells(kernels, tensors);
  // Of the first region 3 of 10 bytes are loaded, the third one is loaded twice.
  CHECK(touches(cells, {box(0, {0}, {10}), box(1, {0}, {10}), box(2, {0}, {10})}, {.bytes = 1}, {3, 0, 20}) ==
        std::vector<Touch>{{0, false, 3, 10}, {1, true, 10, 10}, {2, false, 10, 10}, {2, true, 10, 10}});
  CHECK(touches(cells, {box(0, {0}, {0}), box(1, {0}, {0}), box(2, {0}, {0})}).empty());
}

TEST_CASE("residency: least recently used, with what was written going back") {
  Residency l2(100);
  CHECK(l2.touch({0, false, 40, 40}) == 40);
  CHECK(l2.touch({1, true, 40, 40}) == 0);
  CHECK(l2.touch({0, false, 40, 40}) == 0);
  // Cell 1 is the oldest: its 40 bytes were written.
  CHECK(l2.touch({2, false, 40, 40}) == 40 + 40);
  CHECK(l2.touch({1, false, 40, 40}) == 40);
  CHECK(l2.held() == 80);
  CHECK(l2.touch({3, false, 500, 500}) == 500);
  CHECK(l2.held() == 0);
}

TEST_CASE("residency: as a list of cells does it") {
  struct Held {
    int64_t bytes = 0, written = 0;
  };
  std::mt19937 random(3);
  for (int run = 0; run < 50; ++run) {
    const int64_t capacity = random() % 200;
    Residency l2(capacity);
    std::list<uint32_t> order;  // oldest first
    std::map<uint32_t, Held> cells;
    for (int i = 0; i < 300; ++i) {
      const auto id = static_cast<uint32_t>(random() % 12);
      const int64_t size = 10 + id;
      const Touch touch{id, random() % 2 == 0, static_cast<int64_t>(1 + random() % size), size};
      Held& held = cells[id];
      const int64_t added = std::min(touch.bytes, size - held.bytes);
      int64_t moved = touch.writes ? 0 : added;
      held.bytes += added;
      if (touch.writes) held.written = std::min(size, held.written + touch.bytes);
      order.remove(id);
      order.push_back(id);
      const auto sum = [&cells] {
        int64_t bytes = 0;
        for (const auto& [cell, one] : cells) bytes += one.bytes;
        return bytes;
      };
      while (sum() > capacity) {
        moved += cells[order.front()].written;
        cells.erase(order.front());
        order.pop_front();
      }
      CHECK(l2.touch(touch) == moved);
      CHECK(l2.held() == sum());
    }
  }
}

TEST_CASE("shared memory: what stays in L2 costs HBM nothing the second time") {
  Tasks tasks(machine(1000), {}, kernel({PTO_IN}, 10, 100), {tensor({4, 100})});
  const MemoryUse cold = tasks.book(0, {box(0, {0, 0}, {1, 100})});
  CHECK(cold.hbm_bytes == 100);
  CHECK(cold.load_end == 10);
  CHECK(cold.end == 100);
  CHECK(cold.level == MemoryLevel::Hbm);
  const MemoryUse warm = tasks.book(200, {box(0, {0, 0}, {1, 100})});
  CHECK(warm.hbm_bytes == 0);
  CHECK(warm.load_end == 203);
  CHECK(warm.end == 225);
  CHECK(warm.level == MemoryLevel::L2);
}

TEST_CASE("shared memory: flat forgets") {
  Schedule flat;
  flat.memory = MemoryModel::Flat;
  Tasks tasks(machine(1000), flat, kernel({PTO_IN}, 10, 100), {tensor({4, 100})});
  CHECK(tasks.book(0, {box(0, {0, 0}, {1, 100})}).end == 100);
  CHECK(tasks.book(200, {box(0, {0, 0}, {1, 100})}).end == 300);
}

TEST_CASE("shared memory: cores that stream never beat HBM") {
  Tasks tasks(machine(64), {}, kernel({PTO_IN}, 1, 50), {tensor({24, 50})});
  int64_t last = 0;
  for (int64_t core = 0; core < 24; ++core) {
    const MemoryUse use = tasks.book(0, {box(0, {core, 0}, {1, 50})});
    CHECK(use.load_end == core + 1);  // a first block waits for first blocks alone
    last = std::max(last, use.end);
  }
  CHECK(last == 24 * 50);
}
