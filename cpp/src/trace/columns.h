// The columns of each table, in the order in which a block holds them.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <vector>

#include "pto/trace.h"

namespace pto {

static_assert(std::endian::native == std::endian::little, "trace files hold little-endian columns as they are");

inline constexpr char kTraceMagic[] = "PTOTRAC1";
inline constexpr char kTaskBlock = 'T', kEdgeBlock = 'E', kStallBlock = 'S', kEndBlock = 'Z';
inline constexpr size_t kBlockRows = 1 << 14;

// Those with one element per row.
template <typename Visit>
void visit_row_columns(TaskColumns& c, Visit&& visit) {
  visit("task", c.task);
  visit("kernel", c.kernel);
  visit("site", c.site);
  visit("unit", c.unit);
  visit("core", c.core);
  visit("scheduler", c.scheduler);
  visit("pool", c.pool);
  visit("stream", c.stream);
  visit("submit", c.submit);
  visit("ready", c.ready);
  visit("dispatch", c.dispatch);
  visit("start", c.start);
  visit("end", c.end);
  visit("retire", c.retire);
  visit("published", c.published);
  visit("duration", c.duration);
  visit("waited_for", c.waited_for);
  visit("hbm_bytes", c.hbm_bytes);
  visit("before_submit", c.before_submit);
  visit("bound_by", c.bound_by);
  visit("axis_count", c.axis_count);
}

template <typename Visit>
void visit_columns(TaskColumns& c, Visit&& visit) {
  visit_row_columns(c, visit);
  visit("axes", c.axes);  // as many as the sum of axis_count
}

template <typename Visit>
void visit_row_columns(EdgeColumns& c, Visit&& visit) {
  visit("src", c.src);
  visit("dst", c.dst);
  visit("kind", c.kind);
}

template <typename Visit>
void visit_row_columns(StallColumns& c, Visit&& visit) {
  visit("core", c.core);
  visit("begin", c.begin);
  visit("end", c.end);
  visit("cause", c.cause);
  visit("task", c.task);
}

template <typename Visit>
void visit_columns(EdgeColumns& c, Visit&& visit) {
  visit_row_columns(c, visit);
}

template <typename Visit>
void visit_columns(StallColumns& c, Visit&& visit) {
  visit_row_columns(c, visit);
}

inline size_t row_count(const TaskColumns& c) { return c.task.size(); }
inline size_t row_count(const EdgeColumns& c) { return c.src.size(); }
inline size_t row_count(const StallColumns& c) { return c.core.size(); }

// Each sets row `i` of columns that are long enough.
inline void set_row(TaskColumns& c, size_t i, const TaskRow& row, uint8_t bound_by) {
  c.task[i] = row.task;
  c.kernel[i] = row.kernel;
  c.site[i] = row.site;
  c.unit[i] = static_cast<uint8_t>(row.unit);
  c.core[i] = row.core;
  c.scheduler[i] = row.scheduler;
  c.pool[i] = row.pool;
  c.stream[i] = row.stream;
  c.submit[i] = row.submit;
  c.ready[i] = row.ready;
  c.dispatch[i] = row.dispatch;
  c.start[i] = row.start;
  c.end[i] = row.end;
  c.retire[i] = row.retire;
  c.published[i] = row.published;
  c.duration[i] = row.duration;
  c.waited_for[i] = row.waited_for;
  c.hbm_bytes[i] = row.hbm_bytes;
  c.before_submit[i] = static_cast<uint8_t>(row.before_submit);
  c.bound_by[i] = bound_by;
  c.axis_count[i] = static_cast<uint8_t>(row.axis_count);
  for (uint32_t axis = 0; axis < row.axis_count; ++axis) c.axes.push_back(row.axes[axis]);
}

inline void set_row(EdgeColumns& c, size_t i, const EdgeRow& row) {
  c.src[i] = row.src;
  c.dst[i] = row.dst;
  c.kind[i] = static_cast<uint8_t>(row.kind);
}

inline void set_row(StallColumns& c, size_t i, const StallRow& row) {
  c.core[i] = row.core;
  c.begin[i] = row.begin;
  c.end[i] = row.end;
  c.cause[i] = static_cast<uint8_t>(row.cause);
  c.task[i] = row.task;
}

// NumPy's name of a column's type.
template <typename T>
const char* column_type(const std::vector<T>&) {
  if constexpr (sizeof(T) == 1) return "|u1";
  if constexpr (sizeof(T) == 4) return std::is_signed_v<T> ? "<i4" : "<u4";
  return "<i8";
}

}  // namespace pto
