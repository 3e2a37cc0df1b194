#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <type_traits>

#include "pto/error.h"
#include "pto/trace.h"
#include "trace/columns.h"

namespace pto {
namespace {

using nlohmann::json;

template <typename Columns>
json describe_columns() {
  json list = json::array();
  Columns columns;
  visit_columns(columns, [&](const char* name, const auto& column) { list.push_back({name, column_type(column)}); });
  return list;
}

json describe(const pto_program& program, const MachineConfig& machine) {
  json header;
  header["program"] = program.name;
  header["machine"] = {{"clock_hz", machine.clock_hz},
                       {"cube_cores", machine.cube_cores},
                       {"vector_cores", machine.vector_cores},
                       {"memory_bytes", machine.memory_bytes},
                       {"memory_cycles", machine.memory_cycles}};
  header["kernels"] = json::array();
  for (uint32_t i = 0; i < program.kernel_count; ++i) {
    header["kernels"].push_back({{"name", program.kernels[i].name}, {"loc", program.kernels[i].location}});
  }
  header["sites"] = json::array();
  for (uint32_t i = 0; i < program.site_count; ++i) {
    const pto_site& site = program.sites[i];
    json axes = json::array();
    for (uint32_t a = 0; a < site.axis_count; ++a) axes.push_back(site.axes[a]);
    header["sites"].push_back({{"kernel", site.kernel}, {"loc", site.location}, {"axes", axes}});
  }
  header["columns"] = {{"tasks", describe_columns<TaskColumns>()},
                       {"edges", describe_columns<EdgeColumns>()},
                       {"stalls", describe_columns<StallColumns>()}};
  for (int kind = 0; kind <= static_cast<int>(EdgeKind::Stream); ++kind) {
    header["edge_kinds"].push_back(edge_name(static_cast<EdgeKind>(kind)));
  }
  for (int cause = 0; cause < kStallCauses; ++cause) {
    header["stall_causes"].push_back(stall_name(static_cast<Stall>(cause)));
  }
  return header;
}

std::string little_endian(uint64_t value) { return {reinterpret_cast<const char*>(&value), sizeof value}; }

}  // namespace

TraceWriter::TraceWriter(const std::filesystem::path& path, const pto_program& program, const MachineConfig& machine)
    : path_(path), file_(path, std::ios::binary) {
  const std::string header = describe(program, machine).dump();
  begin(tasks_);
  begin(edges_);
  begin(stalls_);
  file_ << kTraceMagic << little_endian(header.size()) << header;
  if (!file_) throw ExecutionError(path.string() + ": the trace cannot be written: " + std::strerror(errno));
}

uint8_t TraceWriter::bound_by_index(const char* name) {
  if (name != last_name_) {
    last_name_ = name;
    last_index_ = static_cast<uint8_t>(std::find(bound_by_.begin(), bound_by_.end(), name) - bound_by_.begin());
    if (last_index_ == bound_by_.size()) bound_by_.emplace_back(name);
  }
  return last_index_;
}

void TraceWriter::task(const TaskRow& row) {
  set_row(tasks_.columns, tasks_.rows++, row, bound_by_index(row.bound_by));
  if (tasks_.rows == kBlockRows) flush(kTaskBlock, tasks_);
}

void TraceWriter::edge(const EdgeRow& row) {
  set_row(edges_.columns, edges_.rows++, row);
  if (edges_.rows == kBlockRows) flush(kEdgeBlock, edges_);
}

void TraceWriter::stall(const StallRow& row) {
  set_row(stalls_.columns, stalls_.rows++, row);
  if (stalls_.rows == kBlockRows) flush(kStallBlock, stalls_);
}

template <typename Columns>
void TraceWriter::flush(char kind, Block<Columns>& block) {
  if (block.rows == 0) return;
  visit_row_columns(block.columns, [&](const char*, auto& column) { column.resize(block.rows); });
  size_t bytes = 0;
  visit_columns(block.columns, [&](const char*, const auto& column) { bytes += column.size() * sizeof(column[0]); });
  begin_block(kind, block.rows, bytes);
  visit_columns(block.columns,
                [&](const char*, const auto& column) { write(column.data(), column.size() * sizeof(column[0])); });
  begin(block);
}

// Room for a block's rows: columns that have it keep what is in them, to be overwritten.
template <typename Columns>
void TraceWriter::begin(Block<Columns>& block) {
  block.rows = 0;
  visit_row_columns(block.columns, [](const char*, auto& column) { column.resize(kBlockRows); });
  if constexpr (std::is_same_v<Columns, TaskColumns>) block.columns.axes.clear();
}

void TraceWriter::begin_block(char kind, uint64_t rows, uint64_t bytes) {
  file_ << kind << little_endian(rows) << little_endian(bytes);
}

void TraceWriter::write(const void* data, size_t bytes) {
  file_.write(static_cast<const char*>(data), static_cast<std::streamsize>(bytes));
  if (!file_) throw ExecutionError(path_.string() + ": the trace cannot be written: " + std::strerror(errno));
}

void TraceWriter::close() {
  flush(kTaskBlock, tasks_);
  flush(kEdgeBlock, edges_);
  flush(kStallBlock, stalls_);
  const std::string names = json{{"bound_by", bound_by_}}.dump();
  begin_block(kEndBlock, 0, names.size());
  write(names.data(), names.size());
  file_.close();
  if (!file_) throw ExecutionError(path_.string() + ": the trace cannot be written: " + std::strerror(errno));
}

}  // namespace pto
