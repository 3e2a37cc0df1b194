// An ascending list of task ids that stays short where the ids come at regular distances.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace pto {

// Thousands of tasks read the same weights, one every so many ids: they are a few runs. A list without a window to
// forget by is bounded by how often the distance changes, not by how many tasks there are.
class IdRuns {
 public:
  // `id` is not below the last one; the last one again adds nothing. Ids below `oldest` are no longer wanted.
  void add(int64_t id, int64_t oldest) {
    if (empty()) {
      clear();
      runs_.push_back({id, 0, 1});
      return;
    }
    Run& last = runs_.back();
    if (last.last() == id) return;
    if (last.count == 1) last.step = id - last.first;
    if (id - last.last() == last.step) {
      ++last.count;
    } else {
      drop_below(oldest);
      runs_.push_back({id, 0, 1});
    }
  }

  void clear() {
    runs_.clear();
    first_run_ = 0;
  }
  bool empty() const { return first_run_ == runs_.size(); }

  // Calls visit(id) for all ids that are `oldest` or newer, newest first.
  template <typename Visit>
  void visit_from(int64_t oldest, Visit visit) const {
    for (size_t r = runs_.size(); r-- > first_run_;) {
      const Run& run = runs_[r];
      for (int64_t i = run.count; i-- > 0;) {
        const int64_t id = run.first + i * run.step;
        if (id < oldest) return;
        visit(id);
      }
    }
  }

  size_t runs() const { return runs_.size() - first_run_; }

 private:
  struct Run {
    int64_t first, step, count;
    int64_t last() const { return first + (count - 1) * step; }
  };

  void drop_below(int64_t oldest) {
    while (first_run_ < runs_.size() && runs_[first_run_].last() < oldest) ++first_run_;
    // Moves at most as many as were dropped: constant time per id.
    if (first_run_ > runs_.size() / 2) {
      runs_.erase(runs_.begin(), runs_.begin() + static_cast<int64_t>(first_run_));
      first_run_ = 0;
    }
  }

  std::vector<Run> runs_;
  size_t first_run_ = 0;
};

}  // namespace pto
