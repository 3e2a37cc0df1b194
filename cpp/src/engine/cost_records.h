// What tasks cost: a record per kernel, then one for each way in which loops ran whose trips tasks decide.
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
    for (const KernelInfo& kernel : kernels) records_.push_back(kernel.cost);
  }

  // The place of the task's record; behind all others where it is a new one.
  uint32_t of(const pto_task& task) {
    const KernelInfo& kernel = kernels_[task.kernel];
    if (!kernel.cost_of) return task.kernel;
    key_.assign(1, task.kernel);
    for (const pto_loop& loop : kernel.loops) key_.push_back(loop_trips(loop, task.numbers));
    const auto [found, is_new] = places_.try_emplace(key_, static_cast<uint32_t>(records_.size()));
    if (is_new) records_.push_back(kernel.cost_of(key_.data() + 1));
    return found->second;
  }

  size_t size() const { return records_.size(); }
  const KernelCost& operator[](uint32_t record) const { return records_[record]; }

 private:
  std::span<const KernelInfo> kernels_;
  std::vector<KernelCost> records_;
  std::map<std::vector<int64_t>, uint32_t> places_;  // by kernel and trips
  std::vector<int64_t> key_;
};

}  // namespace pto
