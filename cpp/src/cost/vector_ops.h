// Tile ops as instructions of a vector core.
#pragma once

#include <cstdint>
#include <string_view>

#include "cost/core.h"

namespace pto::cost {

struct VectorOp;

// Null for a name that is no tile op of the vector pipe.
const VectorOp* vector_op(std::string_view name);

// True where a result needs the whole row: a row that is processed in pieces has to be seen once more.
bool needs_whole_row(const VectorOp& op);

// Cycles for rows x cols elements of `element_bytes` in ub. Rows are padded there, and follow each other.
int64_t vector_cycles(const VectorCore& core, const VectorOp& op, int64_t rows, int64_t cols, int64_t element_bytes);

// A lower bound of vector_cycles, however the work is cut: instructions in a row, without heads, tails and padding.
Ticks least_vector_time(const VectorCore& core, const VectorOp& op, int64_t rows, int64_t cols, int64_t element_bytes);

}  // namespace pto::cost
