#include "cost/vector_ops.h"

#include <algorithm>
#include <array>

namespace pto::cost {

struct VectorOp {
  enum class Shape { ElementWise, RowSum, RowMax, ArgMax, Scan, Order };
  std::string_view name;
  Shape shape;
  std::array<Instruction, 12> instructions;  // element-wise: one after the other
  size_t count;
};

namespace {

using enum Instruction;

template <typename... I>
constexpr VectorOp element_wise(std::string_view name, I... instructions) {
  return {name, VectorOp::Shape::ElementWise, {instructions...}, sizeof...(I)};
}

constexpr std::array kOps = {
    element_wise("neg", MulScalar),
    element_wise("exp", Exp),
    element_wise("log", Ln),
    element_wise("sqrt", Sqrt),
    element_wise("rsqrt", Rsqrt),
    element_wise("sigmoid", MulScalar, Exp, AddScalar, Div),
    element_wise("abs", Abs),
    element_wise("relu", Relu),
    // What the cores have no instruction for is a polynomial after a reduction of its argument.
    element_wise("tanh", MulScalar, Exp, AddScalar, Div, MulScalar, AddScalar),
    element_wise("sin", MulScalar, Convert, Convert, Mul, Add, Mul, Mul, Add, Mul, Add, Mul, Add),
    element_wise("cos", MulScalar, Convert, Convert, Mul, Add, Mul, Mul, Add, Mul, Add, Mul, Add),
    element_wise("erf", Mul, Exp, Mul, Add, Mul, Add, Mul, Add, Mul, Add, Mul, Add),
    element_wise("pow", Ln, Mul, Exp),
    element_wise("maximum", Add),
    element_wise("minimum", Add),
    element_wise("add", Add),
    element_wise("sub", Add),
    element_wise("mul", Mul),
    element_wise("div", Div),
    element_wise("compare", Other),
    element_wise("select", Select),
    element_wise("cast", Convert),
    element_wise("gather", Gather),
    element_wise("concat", Copy),
    element_wise("slice", Gather),  // those of stride 1 are addresses and have no fragment
    element_wise("interleave", Gather),
    element_wise("broadcast", Copy),
    element_wise("transpose", Other),
    element_wise("iota", Other),
    element_wise("constant", Copy),
    element_wise("splat", Copy),
    element_wise("gather_rows", Copy),
    element_wise("colsum", Add),  // the rows one after the other
    element_wise("colmax", Add),
    element_wise("cumsum_down", Add),
    element_wise("colmin", Add),
    VectorOp{"rowsum", VectorOp::Shape::RowSum, {}, 0},
    VectorOp{"rowmax", VectorOp::Shape::RowMax, {}, 0},
    VectorOp{"rowmin", VectorOp::Shape::RowMax, {}, 0},
    VectorOp{"argmax", VectorOp::Shape::ArgMax, {}, 0},
    VectorOp{"cumsum", VectorOp::Shape::Scan, {}, 0},
    VectorOp{"topk", VectorOp::Shape::Order, {}, 0},
    VectorOp{"sort", VectorOp::Shape::Order, {}, 0},
};

int64_t merge_levels(int64_t runs) {
  constexpr int64_t kLists = 4;
  int64_t levels = 1;
  for (int64_t sorted = 1; sorted < runs; sorted *= kLists) ++levels;
  return levels;
}

int64_t run(const VectorInstruction& i, int64_t repeats) {
  return repeats == 0 ? 0 : i.head + repeats * i.slope + i.tail;
}

// Whole repeats are added up until one is left of each row; `last` steps make a single value of that.
int64_t reduce_cycles(const VectorCore& core, Instruction step, int64_t steps, int64_t rows, int64_t repeats) {
  return run(core[Add], rows * (repeats - 1)) + steps * run(core[step], rows);
}

constexpr int64_t kRun = 32;  // elements that the cores sort at once

// Each row is sorted on its own: runs of 32 pairs (value, index), of which each level merges four into one.
int64_t order_cycles(const VectorCore& core, int64_t rows, int64_t cols) {
  const int64_t runs = ceil_div(cols, kRun);
  return rows * merge_levels(runs) * run(core[Sort], runs);
}

// A scan adds the tile to itself, moved by 1, 2, 4, ... elements.
int64_t scan_steps(int64_t length) {
  int64_t steps = 0;
  for (int64_t added = 1; added < length; added *= 2) ++steps;
  return steps;
}

}  // namespace

const VectorOp* vector_op(std::string_view name) {
  const auto found = std::find_if(kOps.begin(), kOps.end(), [name](const VectorOp& op) { return op.name == name; });
  return found == kOps.end() ? nullptr : &*found;
}

bool needs_whole_row(const VectorOp& op) { return op.shape != VectorOp::Shape::ElementWise; }

int64_t vector_cycles(const VectorCore& core, const VectorOp& op, int64_t rows, int64_t cols, int64_t element_bytes) {
  const int64_t row = align(cols * element_bytes, core.alignment);
  const int64_t row_repeats = ceil_div(row, core.repeat);
  const int64_t partial = row % core.repeat == 0 ? 0 : core.partial;
  switch (op.shape) {
    case VectorOp::Shape::RowSum:
      return reduce_cycles(core, RowSum, 1, rows, row_repeats) + partial;
    case VectorOp::Shape::RowMax:
      // Down to one maximum per 32 B, then to one of all.
      return reduce_cycles(core, GroupMax, 2, rows, row_repeats) + partial;
    case VectorOp::Shape::ArgMax:
      // The maximum, where it stands (one comparison of all), and the least of these columns.
      return 2 * (reduce_cycles(core, GroupMax, 2, rows, row_repeats) + partial) + run(core[Other], rows * row_repeats);
    case VectorOp::Shape::Scan:
      return scan_steps(cols) * run(core[Add], rows * row_repeats) + partial;
    case VectorOp::Shape::Order:
      return order_cycles(core, rows, cols) + partial;
    case VectorOp::Shape::ElementWise:
      break;
  }
  int64_t cycles = 0;
  const int64_t bytes = rows * row;
  for (size_t i = 0; i < op.count; ++i) {
    cycles +=
        run(core[op.instructions.at(i)], ceil_div(bytes, core.repeat)) + (bytes % core.repeat == 0 ? 0 : core.partial);
  }
  return cycles;
}

Ticks least_vector_time(const VectorCore& core, const VectorOp& op, int64_t rows, int64_t cols, int64_t element_bytes) {
  const int64_t row_repeats = ceil_div(align(cols * element_bytes, core.alignment), core.repeat);
  const auto slope = [&core](Instruction i) { return core[i].slope; };
  const int64_t row_max = (row_repeats - 1) * slope(Add) + 2 * slope(GroupMax);
  switch (op.shape) {
    case VectorOp::Shape::RowSum:
      return ticks(rows * ((row_repeats - 1) * slope(Add) + slope(RowSum)));
    case VectorOp::Shape::RowMax:
      return ticks(rows * row_max);
    case VectorOp::Shape::ArgMax:
      return ticks(rows * (2 * row_max + row_repeats * slope(Other)));
    case VectorOp::Shape::Scan:
      return ticks(scan_steps(cols) * rows * row_repeats * slope(Add));
    case VectorOp::Shape::Order: {
      const int64_t runs = ceil_div(cols, kRun);
      return ticks(rows * merge_levels(runs) * runs * slope(Sort));
    }
    case VectorOp::Shape::ElementWise:
      break;
  }
  int64_t slopes = 0;
  for (size_t i = 0; i < op.count; ++i) slopes += slope(op.instructions.at(i));
  return ticks(rows * cols * element_bytes) / core.repeat * slopes;
}

}  // namespace pto::cost
