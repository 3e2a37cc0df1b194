// What tasks cost and load: a record per kernel, then one for each way in which loops ran whose trips tasks decide.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "pto/source.h"

namespace pto {

class CostRecords {
 public:
  explicit CostRecords(std::span<const KernelInfo> kernels) : kernels_(kernels) {
    for (const KernelInfo& kernel : kernels) {
      records_.push_back({kernel.cost, kernel.cost_of ? std::vector<int64_t>() : loads(kernel, nullptr)});
    }
  }

  // The place of the task's record; behind all others where it is a new one.
  uint32_t of(const pto_task& task) {
    const KernelInfo& kernel = kernels_[task.kernel];
    if (!kernel.cost_of) return task.kernel;
    key_.assign(1, task.kernel);
    for (const pto_loop& loop : kernel.loops) key_.push_back(loop_trips(loop, task.numbers));
    const auto [found, is_new] = places_.try_emplace(key_, static_cast<uint32_t>(records_.size()));
    const int64_t* trips = key_.data() + 1;
    if (is_new) records_.push_back({kernel.cost_of(trips), loads(kernel, trips)});
    return found->second;
  }

  size_t size() const { return records_.size(); }
  const KernelCost& operator[](uint32_t record) const { return records_[record].cost; }
  // By parameter; empty where all of each region is loaded.
  const std::vector<int64_t>& loads(uint32_t record) const { return records_[record].loads; }

 private:
  struct Record {
    KernelCost cost;
    std::vector<int64_t> loads;
  };
  static std::vector<int64_t> loads(const KernelInfo& kernel, const int64_t* trips) {
    return kernel.loads_of ? kernel.loads_of(trips) : std::vector<int64_t>();
  }

  std::span<const KernelInfo> kernels_;
  std::vector<Record> records_;
  std::map<std::vector<int64_t>, uint32_t> places_;  // by kernel and trips
  std::vector<int64_t> key_;
};

}  // namespace pto
