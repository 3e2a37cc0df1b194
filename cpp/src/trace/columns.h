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

template <typename Visit>
void visit_columns(TaskColumns& c, Visit&& visit) {
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
  visit("axes", c.axes);  // the sum of axis_count, not one per row
}

template <typename Visit>
void visit_columns(EdgeColumns& c, Visit&& visit) {
  visit("src", c.src);
  visit("dst", c.dst);
  visit("kind", c.kind);
}

template <typename Visit>
void visit_columns(StallColumns& c, Visit&& visit) {
  visit("core", c.core);
  visit("begin", c.begin);
  visit("end", c.end);
  visit("cause", c.cause);
  visit("task", c.task);
}

inline size_t row_count(const TaskColumns& c) { return c.task.size(); }
inline size_t row_count(const EdgeColumns& c) { return c.src.size(); }
inline size_t row_count(const StallColumns& c) { return c.core.size(); }

inline void append(TaskColumns& c, const TaskRow& row, uint8_t bound_by) {
  c.task.push_back(row.task);
  c.kernel.push_back(row.kernel);
  c.site.push_back(row.site);
  c.unit.push_back(static_cast<uint8_t>(row.unit));
  c.core.push_back(row.core);
  c.scheduler.push_back(row.scheduler);
  c.pool.push_back(row.pool);
  c.stream.push_back(row.stream);
  c.submit.push_back(row.submit);
  c.ready.push_back(row.ready);
  c.dispatch.push_back(row.dispatch);
  c.start.push_back(row.start);
  c.end.push_back(row.end);
  c.retire.push_back(row.retire);
  c.published.push_back(row.published);
  c.duration.push_back(row.duration);
  c.waited_for.push_back(row.waited_for);
  c.hbm_bytes.push_back(row.hbm_bytes);
  c.before_submit.push_back(static_cast<uint8_t>(row.before_submit));
  c.bound_by.push_back(bound_by);
  c.axis_count.push_back(static_cast<uint8_t>(row.axis_count));
  for (uint32_t i = 0; i < row.axis_count; ++i) c.axes.push_back(row.axes[i]);
}

inline void append(EdgeColumns& c, const EdgeRow& row) {
  c.src.push_back(row.src);
  c.dst.push_back(row.dst);
  c.kind.push_back(static_cast<uint8_t>(row.kind));
}

inline void append(StallColumns& c, const StallRow& row) {
  c.core.push_back(row.core);
  c.begin.push_back(row.begin);
  c.end.push_back(row.end);
  c.cause.push_back(static_cast<uint8_t>(row.cause));
  c.task.push_back(row.task);
}

// NumPy's name of a column's type.
template <typename T>
const char* column_type(const std::vector<T>&) {
  if constexpr (sizeof(T) == 1) return "|u1";
  if constexpr (sizeof(T) == 4) return std::is_signed_v<T> ? "<i4" : "<u4";
  return "<i8";
}

}  // namespace pto
