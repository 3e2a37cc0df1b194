// HBM, and L2 before it: when a task's data has come and gone (rule 11).
#pragma once

#include <cstdint>
#include <vector>

#include "memory/residency.h"
#include "memory/server.h"
#include "memory/touch_store.h"
#include "pto/config.h"
#include "pto/source.h"
#include "pto/stats.h"

namespace pto {

enum class MemoryLevel : uint8_t { None, L2, Hbm };

// What a task's transfers through the shared memories mean for its times.
struct MemoryUse {
  int64_t load_end = 0;                                                   // the load phase does not end before
  int64_t end = 0;                                                        // nor the task
  MemoryLevel load_level = MemoryLevel::None, level = MemoryLevel::None;  // which of them says so
  int64_t hbm_bytes = 0;
  int64_t alone = 0, load_alone = 0;  // cycles that they take where nobody else uses them
};

class SharedMemory {
 public:
  SharedMemory(const MachineConfig& machine, const Schedule& schedule);

  // The next cost: they count from 0.
  void add(const KernelCost& cost);

  // Books what a task of the cost moves, at its `start`. Tasks come in order of their starts.
  MemoryUse book_hbm(int64_t start, uint32_t cost) {
    const Demand& demand = demands_[cost];
    const auto hbm = hbm_server_.book(start, demand.hbm_load, demand.hbm_all);
    hbm_bytes_ += demand.bytes;
    return {hbm.first_end, hbm.end, MemoryLevel::Hbm, MemoryLevel::Hbm, demand.bytes, demand.hbm_all, demand.hbm_load};
  }
  // With L2, what comes from HBM is what the task's touches, `count` from `first` on, miss there.
  MemoryUse book_both(int64_t start, uint32_t cost, const TouchStore& touches, uint64_t first, uint32_t count);

  // Whether tasks' touches are needed.
  static bool has_l2(const MachineConfig& machine, const Schedule& schedule) {
    return machine.l2_capacity > 0 && schedule.memory == MemoryModel::L2;
  }
  void report(Stats& stats) const;

 private:
  // A cost's bytes as time.
  struct Demand {
    int64_t load_bytes, bytes;
    int64_t l2_load, l2_all;
    int64_t l2_bytes;
    int64_t hbm_load, hbm_all;  // without L2
  };
  bool l2_;
  MemoryServer hbm_server_, l2_server_;
  Residency residency_;
  std::vector<Demand> demands_;  // by cost
  int64_t hbm_bytes_ = 0, l2_bytes_ = 0;
};

}  // namespace pto
