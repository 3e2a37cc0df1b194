// An ascending list of task ids that stays short where the ids come at regular distances.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

namespace pto {

// Thousands of tasks read the same weights, one every so many ids: they are a few runs. A list without a window to
// forget by is bounded by how often the distance changes, not by how many tasks there are. One run takes no memory
// of its own.
class IdRuns {
 public:
  // `id` is not below the last one; the last one again adds nothing. Ids below `oldest` are no longer wanted.
  void add(int64_t id, int64_t oldest) {
    if (empty()) {
      newest_ = {id, 0, 1};
      return;
    }
    const int64_t step = id - newest_.last();
    if (step == 0) return;
    if (step <= UINT32_MAX && newest_.count < UINT32_MAX && (newest_.count == 1 || step == newest_.step)) {
      newest_.step = static_cast<uint32_t>(step);
      ++newest_.count;
      return;
    }
    if (newest_.last() >= oldest) keep_newest(oldest);
    newest_ = {id, 0, 1};
  }

  void clear() {
    newest_.count = 0;
    if (older_) older_->clear();
  }
  bool empty() const { return newest_.count == 0; }

  // Calls visit(id) for all ids that are `oldest` or newer, newest first.
  template <typename Visit>
  void visit_from(int64_t oldest, Visit visit) const {
    if (!visit_run(newest_, oldest, visit) || !older_) return;
    for (size_t r = older_->runs.size(); r-- > older_->first;) {
      if (!visit_run(older_->runs[r], oldest, visit)) return;
    }
  }

  size_t runs() const { return empty() ? 0 : 1 + (older_ ? older_->runs.size() - older_->first : 0); }

 private:
  struct Run {
    int64_t first = 0;
    uint32_t step = 0, count = 0;
    int64_t last() const { return first + (int64_t{count} - 1) * step; }
  };
  struct Older {
    std::vector<Run> runs;
    size_t first = 0;
    void clear() {
      runs.clear();
      first = 0;
    }
  };

  // False where the run has older ids than are wanted.
  template <typename Visit>
  static bool visit_run(const Run& run, int64_t oldest, Visit& visit) {
    for (int64_t i = run.count; i-- > 0;) {
      const int64_t id = run.first + i * run.step;
      if (id < oldest) return false;
      visit(id);
    }
    return true;
  }

  void keep_newest(int64_t oldest) {
    if (!older_) older_ = std::make_unique<Older>();
    Older& older = *older_;
    while (older.first < older.runs.size() && older.runs[older.first].last() < oldest) ++older.first;
    // Moves at most as many as were dropped: constant time per id.
    if (older.first > older.runs.size() / 2) {
      older.runs.erase(older.runs.begin(), older.runs.begin() + static_cast<int64_t>(older.first));
      older.first = 0;
    }
    older.runs.push_back(newest_);
  }

  Run newest_;
  std::unique_ptr<Older> older_;  // runs before it, oldest first
};

}  // namespace pto
