#include "cost/vector_stage.h"

#include <algorithm>

namespace pto::cost {
namespace {

// A block is `rows` whole rows, or one row's part of 1 / `pieces`.
struct Blocking {
  int64_t rows = 1;
  int64_t pieces = 1;
};

// Blocks of a work are double-buffered on their way in and out. Between them lie, as a rule of thumb that the
// fragments cannot better, three values of the widest op: two operands and a result.
constexpr int64_t kBuffers = 2;
constexpr int64_t kValues = 3;

class Planner {
 public:
  Planner(const VectorCore& core, const VectorWork& work) : core_(core), work_(work), rows_(work.rows()) {}

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
    for (const Compute& op : work_.ops) passes += b.pieces > 1 && needs_whole_row(*op.op) ? 1 : 0;
    for (const Transfer& load : work_.loads) add_load(stage, load, b, passes);
    for (const Compute& op : work_.ops) add_op(stage.phases[1], op, b);
    for (const Transfer& store : work_.stores) add_store(stage.phases[2], store, b);
    return stage;
  }

  int64_t rows() const { return rows_; }

 private:
  template <typename T>
  bool is_once(const T& t) const {
    return t.rows < rows_;
  }
  int64_t height(const Blocking& b) const { return std::min(b.rows, rows_); }

  // The columns of a block: whole repeats, as a partial one costs more.
  template <typename T>
  int64_t piece(const T& t, const Blocking& b) const {
    const int64_t repeat = std::max<int64_t>(1, core_.repeat / t.element_bytes);
    return std::min(t.cols, align(ceil_div(t.cols, b.pieces), repeat));
  }

  template <typename T>
  int64_t padded_row(const T& t, const Blocking& b) const {
    return align(piece(t, b) * t.element_bytes, core_.alignment);
  }

  // The bytes of one full block.
  int64_t block_bytes(const Transfer& t, const Blocking& b) const {
    return share_of(t.bytes, height(b) * piece(t, b), t.rows * t.cols);
  }

  void add_load(VectorStage& stage, const Transfer& load, const Blocking& b, int64_t passes) const {
    const int64_t first = is_once(load) ? load.bytes : block_bytes(load, b);
    Phase& phase = stage.phases[0];
    phase.total += core_.gm_to_ub(load.bytes) * load.trips * (is_once(load) ? 1 : passes);
    phase.first += core_.gm_to_ub(first);
    stage.first_bytes += first;
  }

  void add_store(Phase& phase, const Transfer& store, const Blocking& b) const {
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
    const int64_t cols = piece(op, b);
    const Ticks block = ticks(cycles(op, height(b), cols));
    phase.total += (b.pieces > 1 ? in_pieces(op, cols) : in_rows(op, b.rows)) * op.trips;
    phase.first += block;
    phase.last += block;
  }

  Ticks in_rows(const Compute& op, int64_t height) const {
    const int64_t whole = op.rows / height, rest = op.rows % height;
    return whole * ticks(cycles(op, height, op.cols)) + (rest > 0 ? ticks(cycles(op, rest, op.cols)) : 0);
  }

  Ticks in_pieces(const Compute& op, int64_t cols) const {
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
};

// Candidates do not depend on the work, so that a larger work is never faster than a smaller one.
constexpr int kMostHalvings = 40;

}  // namespace

int64_t VectorWork::rows() const {
  int64_t most = 1;
  for (const Transfer& load : loads) most = std::max(most, load.rows);
  for (const Compute& op : ops) most = std::max(most, op.rows);
  for (const Transfer& store : stores) most = std::max(most, store.rows);
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
  int halvings = 0;
  while (halvings < kMostHalvings && (int64_t{1} << halvings) < planner.rows()) ++halvings;
  for (; halvings >= 0; --halvings) consider({int64_t{1} << halvings, 1});
  for (halvings = 1; halvings <= kMostHalvings; ++halvings) consider({1, int64_t{1} << halvings});
  return best;
}

int64_t ub_bytes(const VectorCore& core, const VectorWork& work) {
  return Planner(core, work).footprint({1, int64_t{1} << kMostHalvings});
}

VectorWork share(const VectorWork& work, int64_t cores) {
  VectorWork mine = work;
  const int64_t rows = work.rows();
  const auto cut = [&](auto& part) {
    if (part.rows == rows) part.rows = ceil_div(rows, cores);
  };
  const auto cut_transfer = [&](Transfer& transfer) {
    const int64_t before = transfer.rows;
    cut(transfer);
    transfer.bytes = transfer.bytes / before * transfer.rows;
  };
  for (Transfer& load : mine.loads) cut_transfer(load);
  for (Compute& op : mine.ops) cut(op);
  for (Transfer& store : mine.stores) cut_transfer(store);
  return mine;
}

}  // namespace pto::cost
