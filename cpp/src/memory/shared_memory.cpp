#include "memory/shared_memory.h"

#include <algorithm>

namespace pto {

SharedMemory::SharedMemory(const MachineConfig& machine, const Schedule& schedule)
    : l2_(has_l2(machine, schedule)),
      hbm_server_(machine.memory_bytes, machine.memory_cycles),
      l2_server_(l2_ ? machine.l2_bytes : 0, machine.l2_cycles),
      residency_(machine.l2_capacity) {}

void SharedMemory::add(const KernelCost& cost) {
  demands_.push_back({cost.load_bytes, cost.bytes, l2_server_.time_of(cost.load_bytes),
                      l2_server_.time_of(cost.moved_bytes), cost.moved_bytes,
                      hbm_server_.time_of(std::min(cost.load_bytes, cost.bytes)), hbm_server_.time_of(cost.bytes)});
}

MemoryUse SharedMemory::book_both(int64_t start, uint32_t cost, const TouchStore& touches, uint64_t first,
                                  uint32_t count) {
  const Demand& demand = demands_[cost];
  MemoryUse use;
  for (uint32_t i = 0; i < count; ++i) use.hbm_bytes += residency_.touch(touches[first + i]);
  const int64_t hbm_load = hbm_server_.time_of(std::min(demand.load_bytes, use.hbm_bytes));
  const int64_t hbm_all = hbm_server_.time_of(use.hbm_bytes);
  const auto hbm = hbm_server_.book(start, hbm_load, hbm_all);
  const auto l2 = l2_server_.book(start, demand.l2_load, demand.l2_all);
  use.load_level = hbm.first_end >= l2.first_end ? MemoryLevel::Hbm : MemoryLevel::L2;
  use.level = hbm.end >= l2.end ? MemoryLevel::Hbm : MemoryLevel::L2;
  use.load_end = std::max(hbm.first_end, l2.first_end);
  use.end = std::max(hbm.end, l2.end);
  use.load_alone = std::max(hbm_load, demand.l2_load);
  use.alone = std::max(hbm_all, demand.l2_all);
  hbm_bytes_ += use.hbm_bytes;
  l2_bytes_ += demand.l2_bytes;
  return use;
}

void SharedMemory::report(Stats& stats) const {
  stats.memory_bytes = hbm_bytes_;
  stats.memory_busy = hbm_server_.busy();
  stats.l2_bytes = l2_bytes_;
  stats.l2_busy = l2_server_.busy();
}

}  // namespace pto
