// A trace comes back from its file as it went in, and as CSV and Perfetto says the same.
#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "pto/error.h"
#include "pto/trace.h"
#include "scratch_folder.h"

namespace {

using pto::test::ScratchFolder;

const pto_kernel kKernels[] = {
    {"add", "k.py:1", PTO_VECTOR, 0, nullptr, 0, nullptr, 0, nullptr, 0, nullptr, 0, nullptr}};
const char* const kAxes[] = {"batch", "row"};
const pto_site kSites[] = {{0, "k.py:7", 2, kAxes, 0}, {0, "odd,name.py:9", 0, nullptr, 0}};
const pto_program kProgram = {PTO_ABI_VERSION, "two", 1,      kKernels, 0,       nullptr, 0,
                              nullptr,         2,     kSites, 0,        nullptr, nullptr};

pto::MachineConfig machine() {
  pto::MachineConfig config;
  config.cube_cores = 1;
  config.vector_cores = 2;
  config.clock_hz = 1'000'000;
  config.memory_bytes = 10;
  return config;
}

pto::TaskRow row(int64_t task, uint32_t site, int64_t start, int64_t end, const int64_t* axes) {
  pto::TaskRow row{};
  row.task = task;
  row.site = site;
  row.unit = PTO_VECTOR;
  row.core = 1;
  row.stream = -1;
  row.dispatch = start;
  row.start = start;
  row.end = end;
  row.retire = end + 1;
  row.hbm_bytes = 80;
  row.bound_by = task ? "hbm" : "load";
  row.axes = axes;
  row.axis_count = site == 0 ? 2 : 0;
  return row;
}

// Task 1 starts while task 0 still computes: its tile begins at 10.
void write_sample(const std::filesystem::path& path) {
  pto::TraceWriter writer(path, kProgram, machine());
  const int64_t axes[] = {3, 300};
  writer.stall({1, 0, 4, pto::Stall::DepWait, 0});
  writer.task(row(0, 0, 4, 10, axes));
  writer.edge({0, 1, pto::EdgeKind::Raw});
  writer.edge({-1, 1, pto::EdgeKind::Structural});
  writer.task(row(1, 1, 8, 20, nullptr));
  writer.stall({2, 0, 20, pto::Stall::Drained, -1});
  writer.close();
}

std::string contents(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// ---- A reader of protocol buffers, as small as can be ----------------------------------------

struct Field {
  uint64_t number = 0;
  std::string text;
};
using Fields = std::multimap<uint64_t, Field>;

uint64_t varint(const std::string& bytes, size_t& at) {
  uint64_t value = 0;
  for (int shift = 0;; shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes.at(at++));
    value |= uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return value;
  }
}

Fields decode(const std::string& bytes) {
  Fields fields;
  for (size_t at = 0; at < bytes.size();) {
    const uint64_t tag = varint(bytes, at);
    Field field;
    field.number = varint(bytes, at);
    if ((tag & 7) == 2) {
      field.text = bytes.substr(at, field.number);
      at += field.number;
    }
    fields.emplace(tag >> 3, field);
  }
  return fields;
}

const Field& only(const Fields& fields, uint64_t id) {
  REQUIRE(fields.count(id) == 1);
  return fields.find(id)->second;
}

struct Slice {
  uint64_t begin = 0, end = 0, name = 0;
  size_t annotations = 0;
};

struct Perfetto {
  std::map<uint64_t, std::string> tracks, names;
  std::map<uint64_t, std::vector<Slice>> slices;                          // by track
  std::map<uint64_t, std::vector<std::pair<uint64_t, uint64_t>>> counts;  // by track: times and values
};

void add_event(Perfetto& file, uint64_t time, const Fields& event) {
  if (only(event, 9).number == 4) {
    file.counts[only(event, 11).number].emplace_back(time, only(event, 30).number);
    return;
  }
  auto& slices = file.slices[only(event, 11).number];
  if (only(event, 9).number == 1) {
    slices.push_back({time, 0, only(event, 10).number, event.count(4)});
  } else {
    slices.back().end = time;
  }
}

Perfetto decode_perfetto(const std::string& bytes) {
  Perfetto file;
  for (const auto& [id, packet] : decode(bytes)) {
    CHECK(id == 1);
    const Fields fields = decode(packet.text);
    CHECK(only(fields, 10).number == 1);
    if (fields.count(60)) {
      const Fields track = decode(only(fields, 60).text);
      file.tracks[only(track, 1).number] = only(track, 2).text;
    } else if (fields.count(12)) {
      const Fields interned = decode(only(fields, 12).text);
      for (auto [at, end] = interned.equal_range(2); at != end; ++at) {
        const Fields name = decode(at->second.text);
        file.names[only(name, 1).number] = only(name, 2).text;
      }
    } else {
      add_event(file, only(fields, 8).number, decode(only(fields, 11).text));
    }
  }
  return file;
}

}  // namespace

TEST_CASE("a trace is read as it was written") {
  const ScratchFolder folder;
  write_sample(folder / "t");
  const pto::Trace trace = pto::read_trace(folder / "t");
  CHECK(trace.header.program == "two");
  CHECK(trace.header.vector_cores == 2);
  CHECK(trace.header.sites[0].axes == std::vector<std::string>{"batch", "row"});
  CHECK(trace.tasks.task == std::vector<int64_t>{0, 1});
  CHECK(trace.tasks.end == std::vector<int64_t>{10, 20});
  CHECK(trace.tasks.axes == std::vector<int64_t>{3, 300});
  CHECK(trace.bound_by.at(trace.tasks.bound_by[1]) == "hbm");
  CHECK(trace.edges.src == std::vector<int64_t>{0, -1});
  CHECK(trace.stalls.end == std::vector<int64_t>{4, 20});
}

TEST_CASE("a trace of many blocks keeps every row") {
  const ScratchFolder folder;
  pto::TraceWriter writer(folder / "t", kProgram, machine());
  constexpr int64_t kRows = 40'000;
  for (int64_t i = 0; i < kRows; ++i) {
    const int64_t axes[] = {i, -i};
    writer.task(row(i, i % 2, i, i + 1, axes));
    writer.edge({i, i + 1, pto::EdgeKind::War});
  }
  writer.close();
  const pto::Trace trace = pto::read_trace(folder / "t");
  REQUIRE(trace.tasks.task.size() == kRows);
  CHECK(trace.tasks.task[kRows - 1] == kRows - 1);
  CHECK(trace.tasks.axes.size() == kRows);
  CHECK(trace.tasks.axes[kRows - 1] == -(kRows - 2));
  CHECK(trace.edges.dst.size() == kRows);
}

TEST_CASE("a trace without an end, or of something else, is refused") {
  const ScratchFolder folder;
  write_sample(folder / "t");
  const std::string bytes = contents(folder / "t");
  for (size_t size : {size_t{0}, size_t{4}, size_t{20}, bytes.size() / 2, bytes.size() - 1}) {
    std::ofstream(folder / "cut", std::ios::binary) << bytes.substr(0, size);
    CHECK_THROWS_AS(pto::read_trace(folder / "cut"), pto::LoadError);
  }
  std::string other = bytes;
  other[0] = 'X';
  std::ofstream(folder / "other", std::ios::binary) << other;
  CHECK_THROWS_AS(pto::read_trace(folder / "other"), pto::LoadError);
  CHECK_THROWS_AS(pto::read_trace(folder / "absent"), pto::LoadError);
}

TEST_CASE("CSV has a row for each task, edge and stall") {
  const ScratchFolder folder;
  write_sample(folder / "t");
  const pto::Trace trace = pto::read_trace(folder / "t");
  pto::write_file(trace, pto::write_tasks_csv, folder / "tasks.csv");
  pto::write_file(trace, pto::write_edges_csv, folder / "edges.csv");
  pto::write_file(trace, pto::write_stalls_csv, folder / "stalls.csv");
  CHECK(contents(folder / "tasks.csv") ==
        "task,kernel,unit,core,scheduler,pool,stream,submit,ready,dispatch,start,end,retire,bound_by,loc,axes\n"
        "0,add,vector,1,0,0,-1,0,0,4,4,10,11,load,k.py:7,batch=3 row=300\n"
        "1,add,vector,1,0,0,-1,0,0,8,8,20,21,hbm,\"odd,name.py:9\",\n");
  CHECK(contents(folder / "edges.csv") == "src,dst,kind\n0,1,raw\n-1,1,structural\n");
  CHECK(contents(folder / "stalls.csv") == "core,begin,end,cause,task\n1,0,4,dep_wait,0\n2,0,20,drained,-1\n");
  CHECK_THROWS_AS(pto::write_file(trace, pto::write_edges_csv, "/nowhere/e.csv"), pto::ExecutionError);
}

TEST_CASE("a Perfetto file has a track per core whose slices tile the time") {
  const ScratchFolder folder;
  write_sample(folder / "t");
  pto::write_file(pto::read_trace(folder / "t"), pto::write_perfetto, folder / "t.pftrace");
  Perfetto file = decode_perfetto(contents(folder / "t.pftrace"));
  std::map<std::string, uint64_t> track;
  for (const auto& [uuid, name] : file.tracks) track[name] = uuid;
  CHECK(track.size() == 6);
  // Both tasks move 80 bytes, which take 8 cycles: from 4 to 12, then to 20.
  CHECK(file.counts[track.at("HBM")] == std::vector<std::pair<uint64_t, uint64_t>>{{4, 10}, {20, 0}});
  const auto& slices = file.slices[track.at("vector core 1")];
  REQUIRE(slices.size() == 3);
  CHECK(file.names[slices[0].name] == "dep_wait");
  CHECK(file.names[slices[1].name] == "add");
  CHECK(slices[1].begin == 4);
  CHECK(slices[1].end == 10);
  CHECK(slices[1].annotations == 5);  // task, batch, row, loc, bound_by
  CHECK(slices[2].begin == 10);
  CHECK(slices[2].end == 20);
  CHECK(file.slices[track.at("vector core 2")].size() == 1);
  CHECK(file.slices.count(track.at("cube core 0")) == 0);
}
