#include "cost/lowering.h"

#include <span>

#include "cost/fragments.h"
#include "pto/dtype.h"

namespace pto::cost {
namespace {

constexpr int64_t kAccumulatorBytes = 4;

class CubeLowering {
 public:
  explicit CubeLowering(const pto_kernel& kernel) : kernel_(kernel), to_l1_(loads_of_matmuls(kernel)) {}

  std::vector<Stage> run() {
    for (uint32_t i = 0; i < kernel_.fragment_count; ++i) {
      const pto_fragment& f = kernel_.fragments[i];
      if (is_load(f)) {
        if (!to_l1_[i]) waiting_.push_back(transfer(f));
        continue;  // between a matmul and the cast of its result there may be loads
      }
      if (is_matmul(f)) {
        add_matmul(f);
      } else if (is_store(f)) {
        add_store(f);
      } else if (!casts_result(f)) {
        vector_stage().ops.push_back(compute(f));
      }
      after_matmul_ = is_matmul(f);
    }
    if (!waiting_.empty()) vector_stage();
    for (size_t i = 0; i < stages_.size(); ++i) hand_over(i);
    return std::move(stages_);
  }

 private:
  MatmulWork* last_matmul() { return stages_.empty() ? nullptr : std::get_if<MatmulWork>(&stages_.back()); }

  // The open vector stage, with the loads that have not found one yet.
  VectorWork& vector_stage() {
    if (stages_.empty() || last_matmul() != nullptr) stages_.emplace_back(VectorWork{});
    auto& work = std::get<VectorWork>(stages_.back());
    work.loads.insert(work.loads.end(), waiting_.begin(), waiting_.end());
    waiting_.clear();
    return work;
  }

  void add_matmul(const pto_fragment& f) {
    stages_.emplace_back(MatmulWork{{f.m, f.k, f.n, dtype_info(f.dtype).bytes, 0, f.trips},
                                    left_is_loaded(kernel_, f),
                                    right_is_loaded(kernel_, f)});
  }

  // What leaves l0c is converted on the way.
  bool casts_result(const pto_fragment& f) {
    const MatmulWork* result = last_matmul();
    return std::string_view(f.op) == "cast" && after_matmul_ && result->matmul.m == f.m && result->matmul.n == f.n;
  }

  void add_store(const pto_fragment& f) {
    if (MatmulWork* result = unstored(f.m, f.n)) {
      // trips of the matmul carry the bytes of all trips of the store
      result->matmul.out_bytes += ceil_div(f.bytes * f.trips, result->matmul.trips);
      result->stored = true;
    } else {
      vector_stage().stores.push_back(transfer(f));
    }
  }

  // The latest result of that shape that no vector work has come after.
  MatmulWork* unstored(int64_t rows, int64_t cols) {
    for (size_t i = stages_.size(); i > 0; --i) {
      auto* work = std::get_if<MatmulWork>(&stages_[i - 1]);
      if (work == nullptr) return nullptr;
      if (!work->stored && work->matmul.m == rows && work->matmul.n == cols) return work;
    }
    return nullptr;
  }

  // Results on their way to the next stage go through global memory: cube and vector cores share nothing else.
  void hand_over(size_t i) {
    if (auto* matmul = std::get_if<MatmulWork>(&stages_[i])) {
      if (!matmul->stored) hand_over_accumulators(i, matmul->matmul);
    } else if (i + 1 < stages_.size()) {
      if (const auto* next = std::get_if<MatmulWork>(&stages_[i + 1])) {
        hand_over_operands(std::get<VectorWork>(stages_[i]), *next);
      }
    }
  }

  void hand_over_accumulators(size_t i, Matmul& from) {
    for (size_t j = i + 1; j < stages_.size(); ++j) {
      if (auto* work = std::get_if<VectorWork>(&stages_[j])) {
        from.out_bytes += from.m * from.n * kAccumulatorBytes;
        work->loads.push_back({from.m, from.n, kAccumulatorBytes, from.m * from.n * kAccumulatorBytes, from.trips});
        return;
      }
      if (const auto& next = std::get<MatmulWork>(stages_[j]); !next.independent()) {
        from.out_bytes += from.m * from.n * next.matmul.element_bytes;
        return;
      }
    }
  }

  static void hand_over_operands(VectorWork& from, const MatmulWork& to) {
    const auto store = [&](int64_t rows, int64_t cols) {
      const int64_t e = to.matmul.element_bytes;
      from.stores.push_back({rows, cols, e, rows * cols * e, to.matmul.trips});
    };
    if (!to.left_loaded) store(to.matmul.m, to.matmul.k);
    if (!to.right_loaded) store(to.matmul.k, to.matmul.n);
  }

  const pto_kernel& kernel_;
  std::vector<bool> to_l1_;
  std::vector<Transfer> waiting_;  // loads to ub that no vector work has come after
  std::vector<Stage> stages_;
  bool after_matmul_ = false;
};

std::vector<Stage> lower_vector(std::span<const pto_fragment> fragments) {
  VectorWork work;
  for (const pto_fragment& f : fragments) {
    if (is_load(f)) {
      work.loads.push_back(transfer(f));
    } else if (is_store(f)) {
      work.stores.push_back(transfer(f));
    } else {
      work.ops.push_back(compute(f));
    }
  }
  if (work.empty()) return {};
  return {Stage(std::move(work))};
}

}  // namespace

std::vector<Stage> lower(const pto_kernel& kernel) {
  const std::span<const pto_fragment> fragments(kernel.fragments, kernel.fragment_count);
  for (const pto_fragment& f : fragments) check_fragment(kernel, f);
  return kernel.unit == PTO_CUBE ? CubeLowering(kernel).run() : lower_vector(fragments);
}

}  // namespace pto::cost
