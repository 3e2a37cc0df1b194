#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>

#include "pto/error.h"
#include "pto/trace.h"
#include "trace/columns.h"

namespace pto {
namespace {

using nlohmann::json;

class Reader {
 public:
  explicit Reader(const std::filesystem::path& path) : path_(path), file_(path, std::ios::binary) {
    if (!file_) refuse("cannot be read");
    std::error_code error;
    left_ = std::filesystem::file_size(path, error);
    if (error) refuse("cannot be read");
  }

  [[noreturn]] void refuse(const std::string& what) const { throw LoadError(path_.string() + ": " + what); }

  std::string text(uint64_t size) {
    require(size);
    std::string bytes(size, '\0');
    file_.read(bytes.data(), static_cast<std::streamsize>(size));
    return bytes;
  }

  uint64_t number() {
    uint64_t value = 0;
    std::memcpy(&value, text(sizeof value).data(), sizeof value);
    return value;
  }

  template <typename T>
  void append(std::vector<T>& column, uint64_t count) {
    require(count > left_ / sizeof(T) ? left_ + 1 : count * sizeof(T));
    const size_t before = column.size();
    column.resize(before + count);
    file_.read(reinterpret_cast<char*>(column.data() + before), static_cast<std::streamsize>(count * sizeof(T)));
  }

 private:
  void require(uint64_t size) {
    if (size > left_) refuse("is no whole trace: it ends early; the run that wrote it did not come to its end");
    left_ -= size;
  }

  std::filesystem::path path_;
  std::ifstream file_;
  uint64_t left_ = 0;
};

TraceHeader parse_header(const std::string& text) {
  const json root = json::parse(text);
  TraceHeader header;
  header.program = root.at("program");
  header.clock_hz = root.at("machine").at("clock_hz");
  header.cube_cores = root.at("machine").at("cube_cores");
  header.vector_cores = root.at("machine").at("vector_cores");
  header.memory_bytes = root.at("machine").at("memory_bytes");
  header.memory_cycles = root.at("machine").at("memory_cycles");
  for (const json& kernel : root.at("kernels")) header.kernels.push_back({kernel.at("name"), kernel.at("loc")});
  for (const json& site : root.at("sites")) {
    header.sites.push_back({site.at("kernel"), site.at("loc"), site.at("axes").get<std::vector<std::string>>()});
    if (header.sites.back().kernel >= header.kernels.size()) throw json::other_error::create(501, "kernel", nullptr);
  }
  return header;
}

template <typename Columns>
void read_columns(Reader& reader, Columns& columns, uint64_t rows) {
  visit_columns(columns, [&](const char*, auto& column) { reader.append(column, rows); });
}

// The column of axes is as long as the counts before it say.
void read_columns(Reader& reader, TaskColumns& columns, uint64_t rows) {
  const size_t before = row_count(columns);
  visit_columns(columns, [&](const char*, auto& column) {
    uint64_t count = rows;
    if constexpr (std::is_same_v<decltype(column), std::vector<int64_t>&>) {
      if (&column == &columns.axes) {
        count = std::accumulate(columns.axis_count.begin() + static_cast<std::ptrdiff_t>(before),
                                columns.axis_count.end(), uint64_t{0});
      }
    }
    reader.append(column, count);
  });
}

// Indices into the header's tables must lie in them: everything made from a trace relies on it.
bool consistent(const Trace& trace) {
  const TaskColumns& t = trace.tasks;
  for (size_t i = 0; i < row_count(t); ++i) {
    if (t.site[i] >= trace.header.sites.size() || t.kernel[i] >= trace.header.kernels.size()) return false;
    if (t.bound_by[i] >= trace.bound_by.size() || t.unit[i] > PTO_VECTOR) return false;
    if (t.task[i] != static_cast<int64_t>(i) || t.before_submit[i] >= kStallCauses) return false;
    if (t.axis_count[i] != trace.header.sites[t.site[i]].axes.size()) return false;
  }
  for (uint8_t kind : trace.edges.kind) {
    if (kind > static_cast<uint8_t>(EdgeKind::Stream)) return false;
  }
  for (uint8_t cause : trace.stalls.cause) {
    if (cause >= kStallCauses) return false;
  }
  return true;
}

Trace read(Reader& reader) {
  if (reader.text(sizeof kTraceMagic - 1) != kTraceMagic) reader.refuse("is no trace file");
  Trace trace;
  trace.header = parse_header(reader.text(reader.number()));
  while (true) {
    const char kind = reader.text(1)[0];
    const uint64_t rows = reader.number();
    const uint64_t bytes = reader.number();
    if (kind == kTaskBlock) {
      read_columns(reader, trace.tasks, rows);
    } else if (kind == kEdgeBlock) {
      read_columns(reader, trace.edges, rows);
    } else if (kind == kStallBlock) {
      read_columns(reader, trace.stalls, rows);
    } else if (kind == kEndBlock) {
      trace.bound_by = json::parse(reader.text(bytes)).at("bound_by").get<std::vector<std::string>>();
      return trace;
    } else {
      reader.refuse("is damaged: a block of unknown kind");
    }
  }
}

}  // namespace

Trace read_trace(const std::filesystem::path& path) {
  Reader reader(path);
  try {
    Trace trace = read(reader);
    if (!consistent(trace)) reader.refuse("is damaged: a row names what the header does not have");
    return trace;
  } catch (const json::exception&) {
    reader.refuse("is damaged: its description cannot be read");
  }
}

}  // namespace pto
