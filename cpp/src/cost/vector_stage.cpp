#include "cost/vector_stage.h"

#include <algorithm>
#include <bit>
#include <limits>

namespace pto::cost {
namespace {

// A block is `rows` whole rows, or `columns` of one row.
struct Blocking {
  int64_t rows = 1;
  int64_t columns = std::numeric_limits<int64_t>::max();
};

// Blocks of a work are double-buffered on their way in and out. Between them lie, as a rule of thumb that the
// fragments cannot better, three values of the widest op: two operands and a result.
constexpr int64_t kBuffers = 2;
constexpr int64_t kValues = 3;

class Planner {
 public:
  Planner(const VectorCore& core, const VectorWork& work)
      : core_(core), work_(work), rows_(work.rows()), columns_(work.columns()) {}

  int64_t footprint(const Blocking& b) const {
    int64_t streamed = 0, resident = 0, widest = 0, widest_once = 0;
    const auto add = [&](const Transfer& t) {
      const int64_t row = padded_row(t, b);
      (is_once(t) ? resident : streamed) += is_once(t) ? t.rows * row : kBuffers * height(b) * row;
    };
    for (const Transfer& load : work_.loads) add(load);
    for (const Transfer& store : work_.stores) add(store);
    for (const Compute& op : work_.ops) {
      int64_t& most = is_once(op) ? widest_once : widest;
      most = std::max(most, (is_once(op) ? op.rows : height(b)) * padded_row(op, b));
    }
    return streamed + resident + kValues * (widest + widest_once);
  }

  VectorStage stage(const Blocking& b) const {
    VectorStage stage;
    // Where a row is seen in pieces, an op that needs all of it makes them pass once more.
    int64_t passes = 1;
    for (const Compute& op : work_.ops) passes += in_pieces(b) && needs_whole_row(*op.op) ? 1 : 0;
    for (const Transfer& load : work_.loads) add_load(stage, load, b, passes);
    for (const Compute& op : work_.ops) add_op(stage.phases[1], op, b);
    for (const Transfer& store : work_.stores) add_store(stage, store, b);
    stage.ub = footprint(b);
    return stage;
  }

 private:
  template <typename T>
  bool is_once(const T& t) const {
    return t.rows < rows_;
  }
  bool in_pieces(const Blocking& b) const { return b.columns < columns_; }
  int64_t height(const Blocking& b) const { return std::min(b.rows, rows_); }

  template <typename T>
  int64_t padded_row(const T& t, const Blocking& b) const {
    return align(std::min(t.cols, b.columns) * t.element_bytes, core_.alignment);
  }

  // The bytes of one full block.
  int64_t block_bytes(const Transfer& t, const Blocking& b) const {
    return share_of(t.bytes, height(b) * std::min(t.cols, b.columns), t.rows * t.cols);
  }

  void add_load(VectorStage& stage, const Transfer& load, const Blocking& b, int64_t passes) const {
    const int64_t first = is_once(load) ? load.bytes : block_bytes(load, b);
    Phase& phase = stage.phases[0];
    const int64_t times = load.trips * (is_once(load) ? 1 : passes);
    phase.total += core_.gm_to_ub(load.bytes) * times;
    stage.loaded_bytes += load.bytes * times;
    phase.first += core_.gm_to_ub(first);
    stage.first_bytes += first;
  }

  void add_store(VectorStage& stage, const Transfer& store, const Blocking& b) const {
    Phase& phase = stage.phases[2];
    stage.stored_bytes += store.bytes * store.trips;
    phase.total += core_.ub_to_gm(store.bytes) * store.trips;
    phase.last += core_.ub_to_gm(is_once(store) ? store.bytes : block_bytes(store, b));
  }

  void add_op(Phase& phase, const Compute& op, const Blocking& b) const {
    if (is_once(op)) {
      const Ticks once = ticks(cycles(op, op.rows, op.cols));
      phase.total += once * op.trips;
      phase.first += once;
      return;
    }
    const int64_t cols = std::min(op.cols, b.columns);
    const Ticks block = ticks(cycles(op, height(b), cols));
    phase.total += (in_pieces(b) ? by_columns(op, cols) : by_rows(op, b.rows)) * op.trips;
    phase.first += block;
    phase.last += block;
  }

  Ticks by_rows(const Compute& op, int64_t height) const {
    const int64_t whole = op.rows / height, rest = op.rows % height;
    return whole * ticks(cycles(op, height, op.cols)) + (rest > 0 ? ticks(cycles(op, rest, op.cols)) : 0);
  }

  Ticks by_columns(const Compute& op, int64_t cols) const {
    // Results of pieces have to be brought together: no less work than on the whole row.
    if (needs_whole_row(*op.op)) return op.rows * ticks(cycles(op, 1, op.cols));
    const int64_t whole = op.cols / cols, rest = op.cols % cols;
    return op.rows * (whole * ticks(cycles(op, 1, cols)) + (rest > 0 ? ticks(cycles(op, 1, rest)) : 0));
  }

  int64_t cycles(const Compute& op, int64_t rows, int64_t cols) const {
    return vector_cycles(core_, *op.op, rows, cols, op.element_bytes);
  }

  const VectorCore& core_;
  const VectorWork& work_;
  int64_t rows_;
  int64_t columns_;
};

template <typename Function>
void for_each_matrix(const VectorWork& work, const Function& function) {
  std::for_each(work.loads.begin(), work.loads.end(), function);
  std::for_each(work.ops.begin(), work.ops.end(), function);
  std::for_each(work.stores.begin(), work.stores.end(), function);
}

// The smallest power of two of at least `size`.
int64_t power_of_two(int64_t size) { return static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(size))); }

}  // namespace

int64_t VectorWork::rows() const {
  int64_t most = 1;
  for_each_matrix(*this, [&most](const auto& matrix) { most = std::max(most, matrix.rows); });
  return most;
}

int64_t VectorWork::columns() const {
  int64_t most = 1;
  for_each_matrix(*this, [&most](const auto& matrix) { most = std::max(most, matrix.cols); });
  return most;
}

std::optional<VectorStage> plan_vector(const VectorCore& core, const VectorWork& work) {
  const Planner planner(core, work);
  std::optional<VectorStage> best;
  Ticks fastest = 0;
  const auto consider = [&](const Blocking& b) {
    if (planner.footprint(b) > core.ub) return;
    const VectorStage stage = planner.stage(b);
    const Ticks time = duration(stage.phases);
    if (!best || time < fastest) {
      best = stage;
      fastest = time;
    }
  };
  // Powers of two, whatever the work's size: so a larger work is never faster than a smaller one.
  for (int64_t rows = power_of_two(work.rows()); rows >= 1; rows /= 2) consider({.rows = rows});
  for (int64_t columns = power_of_two(work.columns()) / 2; columns >= 1; columns /= 2) consider({.columns = columns});
  return best;
}

int64_t ub_bytes(const VectorCore& core, const VectorWork& work) {
  return Planner(core, work).footprint({.rows = 1, .columns = 1});
}

VectorWork share(const VectorWork& work, int64_t cores) {
  VectorWork mine = work;
  const int64_t rows = ceil_div(work.rows(), cores);
  const auto cut = [rows](Transfer& transfer) {
    const int64_t kept = std::min(transfer.rows, rows);
    transfer.bytes = share_of(transfer.bytes, kept, transfer.rows);
    transfer.rows = kept;
  };
  std::for_each(mine.loads.begin(), mine.loads.end(), cut);
  std::for_each(mine.stores.begin(), mine.stores.end(), cut);
  for (Compute& op : mine.ops) op.rows = std::min(op.rows, rows);
  return mine;
}

}  // namespace pto::cost
