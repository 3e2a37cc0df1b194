#include "cost/matmul.h"

#include <algorithm>

namespace pto::cost {
namespace {

// What stays in l1 while the loops over blocks go on, and so is read from global memory once.
struct Residency {
  bool left_panel = false;   // rows of a block x k: the columns' loop is the inner one
  bool right_panel = false;  // k x columns of a block: the rows' loop is the inner one
  bool left_whole = false;
  bool right_whole = false;
};
constexpr std::array<Residency, 5> kResidencies = {{
    {},
    {.left_panel = true},
    {.right_panel = true},
    {.right_panel = true, .left_whole = true},
    {.left_panel = true, .right_whole = true},
}};

constexpr int64_t kBuffers = 2;
constexpr int64_t kAccumulatorBytes = 4;

// Elements of the inner dimension that one step of the cube takes.
int64_t step_depth(const CubeCore& core, int64_t element_bytes) {
  return std::max<int64_t>(1, core.depth / element_bytes);
}

// Timing of one blocking. Blocks are clipped to the matmul; edges are padded to the cube's step.
class Blocked {
 public:
  Blocked(const CubeCore& core, const Matmul& matmul, const BaseBlock& nominal)
      : core_(core),
        mm_(matmul),
        step_depth_(step_depth(core, matmul.element_bytes)),
        padded_{align(mm_.m, core.rows), align(mm_.k, step_depth_), align(mm_.n, core.columns)},
        block_{std::min(nominal.rows, padded_.rows), std::min(nominal.depth, padded_.depth),
               std::min(nominal.columns, padded_.columns)},
        down_(ceil_div(padded_.rows, block_.rows)),
        deep_(ceil_div(padded_.depth, block_.depth)),
        across_(ceil_div(padded_.columns, block_.columns)) {}

  int64_t l1_bytes(const Residency& r) const {
    const int64_t e = mm_.element_bytes;
    // A panel is refilled while the last one is in use, unless there is only one.
    const int64_t left_panel = (down_ > 1 ? kBuffers : 1) * block_.rows * padded_.depth * e;
    const int64_t right_panel = (across_ > 1 ? kBuffers : 1) * padded_.depth * block_.columns * e;
    const int64_t left = r.left_whole   ? padded_.rows * padded_.depth * e
                         : r.left_panel ? left_panel
                                        : kBuffers * block_.rows * block_.depth * e;
    const int64_t right = r.right_whole   ? padded_.depth * padded_.columns * e
                          : r.right_panel ? right_panel
                                          : kBuffers * block_.depth * block_.columns * e;
    return left + right;
  }

  MatmulStage stage(const Residency& r) const {
    MatmulStage stage;
    stage.block = block_;
    const int64_t e = mm_.element_bytes;
    stage.left_bytes = mm_.m * mm_.k * e * (r.left_panel || r.left_whole ? 1 : across_);
    stage.right_bytes = mm_.k * mm_.n * e * (r.right_panel || r.right_whole ? 1 : down_);
    const int64_t depth = std::min(block_.depth, mm_.k);
    stage.first_left_bytes = std::min(block_.rows, mm_.m) * depth * e;
    stage.first_right_bytes = depth * std::min(block_.columns, mm_.n) * e;
    stage.phases = {load_l1(stage), load_l0(), cube(), drain()};
    stage.multiplying = stage.phases[2].total * mm_.trips;
    stage.l0_bytes = left_l0_bytes() + right_l0_bytes();
    serialise_l0c(stage.phases[2], stage.phases[3]);
    for (Phase& phase : stage.phases) phase.total *= mm_.trips;
    take_buffers(stage, r);
    return stage;
  }

 private:
  int64_t blocks() const { return down_ * deep_ * across_; }

  Phase load_l1(const MatmulStage& stage) const {
    const Ticks first = core_.gm_to_l1(stage.first_left_bytes + stage.first_right_bytes);
    return {core_.gm_to_l1(stage.left_bytes) + core_.gm_to_l1(stage.right_bytes), first, first};
  }

  int64_t left_l0_bytes() const { return padded_.rows * padded_.depth * mm_.element_bytes * across_; }
  int64_t right_l0_bytes() const { return padded_.depth * padded_.columns * mm_.element_bytes * down_; }
  int64_t tile_bytes() const { return block_.rows * block_.columns * kAccumulatorBytes; }
  bool l0c_holds_two() const { return kBuffers * tile_bytes() <= core_.l0c; }

  void take_buffers(MatmulStage& stage, const Residency& r) const {
    const int64_t e = mm_.element_bytes;
    const int64_t inner = blocks() * mm_.trips > 1 ? kBuffers : 1;
    const int64_t tiles = l0c_holds_two() && down_ * across_ * mm_.trips > 1 ? kBuffers : 1;
    stage.l1 = l1_bytes(r);
    stage.l0a = inner * block_.rows * block_.depth * e;
    stage.l0b = inner * block_.depth * block_.columns * e;
    stage.l0c = tiles * tile_bytes();
  }

  Phase load_l0() const {
    const int64_t e = mm_.element_bytes;
    const int64_t left = left_l0_bytes(), right = right_l0_bytes();
    const Ticks block = core_.l1_to_l0a(block_.rows * block_.depth * e) +
                        core_.l1_to_l0b(block_.depth * block_.columns * e) + 2 * ticks(core_.transfer);
    return {core_.l1_to_l0a(left) + core_.l1_to_l0b(right) + 2 * blocks() * ticks(core_.transfer), block, block};
  }

  Ticks steps(const BaseBlock& elements) const {
    const int64_t passes = mm_.element_bytes == 4 ? core_.passes_4_bytes : 1;
    return passes * ticks(elements.rows / core_.rows) * (elements.depth / step_depth_) *
           (elements.columns / core_.columns);
  }

  Phase cube() const {
    const Ticks head = ticks(core_.head);
    // The pipe behind gets its first block when a whole column of blocks has been added up.
    const Ticks tile = deep_ * head + steps({block_.rows, padded_.depth, block_.columns});
    return {blocks() * head + steps(padded_), tile, head + steps(block_)};
  }

  Phase drain() const {
    const int64_t elements = std::min(block_.rows, mm_.m) * std::min(block_.columns, mm_.n);
    const Ticks tile = core_.l0c_to_gm(share_of(mm_.out_bytes, elements, mm_.m * mm_.n));
    return {core_.l0c_to_gm(mm_.out_bytes), tile, tile};
  }

  // Where l0c has no room for two tiles of accumulators, the cube waits while one leaves.
  void serialise_l0c(Phase& cube, const Phase& drain) const {
    if (!l0c_holds_two()) cube.total += drain.total - drain.last;
  }

  const CubeCore& core_;
  const Matmul& mm_;
  int64_t step_depth_;  // elements
  BaseBlock padded_;
  BaseBlock block_;
  int64_t down_, deep_, across_;  // blocks along rows, depth, columns
};

// The deepest block, by powers of two, of which l0a and l0b hold two; 0 if there is none.
int64_t depth_of(const CubeCore& core, int64_t rows, int64_t columns, int64_t element_bytes) {
  const auto fits = [&](int64_t depth) {
    return kBuffers * rows * depth * element_bytes <= core.l0a &&
           kBuffers * depth * columns * element_bytes <= core.l0b;
  };
  int64_t depth = 0;
  for (int64_t next = step_depth(core, element_bytes); fits(next); next *= 2) depth = next;
  return depth;
}

}  // namespace

std::optional<MatmulStage> plan_matmul(const CubeCore& core, const Matmul& matmul) {
  std::optional<MatmulStage> best;
  Ticks fastest = 0;
  // Candidates do not depend on the matmul, so that a larger one is never faster than a smaller one.
  for (int64_t rows = core.rows; rows * core.columns * kAccumulatorBytes <= core.l0c; rows *= 2) {
    for (int64_t columns = core.columns; rows * columns * kAccumulatorBytes <= core.l0c; columns *= 2) {
      const int64_t depth = depth_of(core, rows, columns, matmul.element_bytes);
      if (depth == 0) continue;
      const Blocked blocked(core, matmul, {rows, depth, columns});
      for (const Residency& residency : kResidencies) {
        if (blocked.l1_bytes(residency) > core.l1) continue;
        const MatmulStage stage = blocked.stage(residency);
        const Ticks time = duration(stage.phases);
        if (!best || time < fastest) {
          best = stage;
          fastest = time;
        }
      }
    }
  }
  return best;
}

}  // namespace pto::cost
