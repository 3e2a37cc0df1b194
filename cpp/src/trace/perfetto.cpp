// Perfetto's trace format: https://perfetto.dev/docs/reference/trace-packet-proto
#include <algorithm>
#include <numeric>
#include <tuple>

#include "pto/analysis.h"
#include "pto/error.h"
#include "pto/trace.h"
#include "trace/columns.h"
#include "trace/protobuf.h"

namespace pto {
namespace {

// Field numbers of the messages that are written.
namespace packet {
constexpr uint32_t kTimestamp = 8, kSequence = 10, kTrackEvent = 11, kInterned = 12, kSequenceFlags = 13, kTrack = 60;
constexpr uint64_t kStateCleared = 1, kNeedsState = 2;
}  // namespace packet
namespace track {
constexpr uint32_t kUuid = 1, kName = 2, kParent = 5, kCounter = 8, kChildOrdering = 11, kRank = 12;
constexpr uint64_t kExplicitOrder = 3;
}  // namespace track
namespace counter {
constexpr uint32_t kUnitName = 6;
}
namespace event {
constexpr uint32_t kCategory = 3, kAnnotation = 4, kType = 9, kName = 10, kTrack = 11, kCounterValue = 30;
constexpr uint64_t kBegin = 1, kEnd = 2, kCount = 4;
}  // namespace event
namespace interned {
constexpr uint32_t kCategories = 1, kEventNames = 2, kAnnotationNames = 3, kStrings = 29;
constexpr uint32_t kId = 1, kText = 2;
}  // namespace interned
namespace annotation {
constexpr uint32_t kName = 1, kInteger = 4, kString = 17;
}  // namespace annotation

constexpr uint64_t kTaskCategory = 1, kStallCategory = 2;
constexpr uint64_t kUnitTrack = 1;  // + unit
constexpr uint64_t kHbmTrack = 8;
constexpr uint64_t kCoreTrack = 16;  // + core
constexpr int64_t kHbmBins = 1000;

// A tile of a core's time: a task's, or a stall's.
struct Slice {
  int32_t core;
  int64_t begin, end;
  bool is_task;
  size_t row;  // in its table
};

// A core's tasks follow one another in order of dispatch; each tile begins where the one before it ended, if it must.
void append_task_slices(const Trace& trace, std::vector<Slice>& slices) {
  const TaskColumns& t = trace.tasks;
  std::vector<size_t> order(row_count(t));
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&t](size_t a, size_t b) {
    return std::tuple(t.core[a], t.dispatch[a], t.end[a], t.task[a]) <
           std::tuple(t.core[b], t.dispatch[b], t.end[b], t.task[b]);
  });
  int32_t core = -1;
  int64_t free = 0;
  for (size_t row : order) {
    if (t.core[row] != core) free = 0;
    core = t.core[row];
    slices.push_back({core, std::max(t.start[row], free), t.end[row], true, row});
    free = t.end[row];
  }
}

std::vector<Slice> slices_of(const Trace& trace) {
  std::vector<Slice> slices;
  slices.reserve(row_count(trace.tasks) + row_count(trace.stalls));
  append_task_slices(trace, slices);
  const StallColumns& s = trace.stalls;
  for (size_t i = 0; i < row_count(s); ++i) slices.push_back({s.core[i], s.begin[i], s.end[i], false, i});
  std::stable_sort(slices.begin(), slices.end(), [](const Slice& a, const Slice& b) {
    return std::tuple(a.core, a.begin, a.end) < std::tuple(b.core, b.begin, b.end);
  });
  return slices;
}

// Strings are written once, ahead of all events, and named by number from then on.
class Names {
 public:
  uint64_t id(const std::string& text) {
    const auto position = static_cast<uint64_t>(std::find(texts_.begin(), texts_.end(), text) - texts_.begin());
    if (position == texts_.size()) texts_.push_back(text);
    return position + 1;
  }
  void write(Message& data, uint32_t field) const {
    for (size_t i = 0; i < texts_.size(); ++i) {
      data.message(field, Message().number(interned::kId, i + 1).text(interned::kText, texts_[i]));
    }
  }

 private:
  std::vector<std::string> texts_;
};

class PerfettoFile {
 public:
  PerfettoFile(const Trace& trace, std::ostream& out) : trace_(trace), out_(out) { name_strings(); }

  void write() {
    Message data;
    data.message(interned::kCategories, Message().number(interned::kId, kTaskCategory).text(interned::kText, "task"));
    data.message(interned::kCategories, Message().number(interned::kId, kStallCategory).text(interned::kText, "stall"));
    event_names_.write(data, interned::kEventNames);
    annotation_names_.write(data, interned::kAnnotationNames);
    strings_.write(data, interned::kStrings);
    write_packet(Message()
                     .number(packet::kSequence, 1)
                     .number(packet::kSequenceFlags, packet::kStateCleared)
                     .message(packet::kInterned, data));
    write_tracks();
    for (const Slice& slice : slices_of(trace_)) write_slice(slice);
    write_bandwidth();
  }

 private:
  struct SiteNames {
    uint64_t loc;
    std::vector<uint64_t> axes;
  };

  void name_strings() {
    for (const TraceKernel& kernel : trace_.header.kernels) kernels_.push_back(event_names_.id(kernel.name));
    for (int cause = 0; cause < kStallCauses; ++cause) {
      causes_.push_back(event_names_.id(stall_name(static_cast<Stall>(cause))));
    }
    for (const TraceSite& site : trace_.header.sites) {
      sites_.push_back({strings_.id(site.location), {}});
      for (const std::string& axis : site.axes) sites_.back().axes.push_back(annotation_names_.id(axis));
    }
    for (const std::string& pipe : trace_.bound_by) bound_by_.push_back(strings_.id(pipe));
    task_name_ = annotation_names_.id("task");
    loc_name_ = annotation_names_.id("loc");
    bound_by_name_ = annotation_names_.id("bound_by");
    size_t first = 0;
    for (uint8_t count : trace_.tasks.axis_count) {
      first_axis_.push_back(first);
      first += count;
    }
  }

  void write_packet(const Message& content) {
    Message trace;
    trace.message(1, content);
    out_ << trace.bytes();
  }

  void write_track(uint64_t uuid, const std::string& name, uint64_t parent, uint64_t rank) {
    Message descriptor;
    descriptor.number(track::kUuid, uuid).text(track::kName, name);
    if (parent) descriptor.number(track::kParent, parent);
    descriptor.number(track::kChildOrdering, track::kExplicitOrder).number(track::kRank, rank);
    write_packet(Message().number(packet::kSequence, 1).message(packet::kTrack, descriptor));
  }

  void write_tracks() {
    const auto cube = static_cast<uint64_t>(trace_.header.cube_cores);
    const auto all = cube + static_cast<uint64_t>(trace_.header.vector_cores);
    write_track(kUnitTrack + PTO_CUBE, "cube cores", 0, 0);
    write_track(kUnitTrack + PTO_VECTOR, "vector cores", 0, 1);
    for (uint64_t core = 0; core < all; ++core) {
      const bool is_cube = core < cube;
      write_track(kCoreTrack + core, (is_cube ? "cube core " : "vector core ") + std::to_string(core),
                  kUnitTrack + (is_cube ? PTO_CUBE : PTO_VECTOR), core);
    }
  }

  void write_counter(int64_t time, int64_t value) {
    write_event(time, Message()
                          .number(event::kType, event::kCount)
                          .number(event::kTrack, kHbmTrack)
                          .number(event::kCounterValue, static_cast<uint64_t>(value)));
  }
  void write_bandwidth() {
    const Transfers moved = hbm_transfers(trace_, kHbmBins);
    Message descriptor;
    descriptor.number(track::kUuid, kHbmTrack).text(track::kName, "HBM");
    descriptor.message(track::kCounter, Message().text(counter::kUnitName, "MB/s"));
    write_packet(Message().number(packet::kSequence, 1).message(packet::kTrack, descriptor));
    int64_t before = 0;
    for (size_t i = 0; i < moved.bytes.size(); ++i) {
      const auto rate = static_cast<__int128>(moved.bytes[i]) * trace_.header.clock_hz;
      const auto value = static_cast<int64_t>(rate / (moved.edges[i + 1] - moved.edges[i]) / 1'000'000);
      if (value != before) write_counter(moved.edges[i], value);
      before = value;
    }
    if (before != 0) write_counter(moved.edges.back(), 0);
  }

  void write_event(int64_t time, const Message& content) {
    write_packet(Message()
                     .number(packet::kTimestamp, static_cast<uint64_t>(time))
                     .number(packet::kSequence, 1)
                     .number(packet::kSequenceFlags, packet::kNeedsState)
                     .message(packet::kTrackEvent, content));
  }

  void annotate(Message& content, uint64_t name, int64_t value) const {
    content.message(
        event::kAnnotation,
        Message().number(annotation::kName, name).number(annotation::kInteger, static_cast<uint64_t>(value)));
  }
  void annotate_string(Message& content, uint64_t name, uint64_t string) const {
    content.message(event::kAnnotation, Message().number(annotation::kName, name).number(annotation::kString, string));
  }

  void describe_task(Message& content, size_t row) const {
    const TaskColumns& t = trace_.tasks;
    const SiteNames& site = sites_[t.site[row]];
    content.number(event::kCategory, kTaskCategory).number(event::kName, kernels_[t.kernel[row]]);
    annotate(content, task_name_, t.task[row]);
    for (size_t i = 0; i < site.axes.size(); ++i) annotate(content, site.axes[i], t.axes[first_axis_[row] + i]);
    annotate_string(content, loc_name_, site.loc);
    annotate_string(content, bound_by_name_, bound_by_[t.bound_by[row]]);
  }

  void describe_stall(Message& content, size_t row) const {
    const StallColumns& s = trace_.stalls;
    content.number(event::kCategory, kStallCategory).number(event::kName, causes_[s.cause[row]]);
    if (s.task[row] >= 0) annotate(content, task_name_, s.task[row]);
  }

  void write_slice(const Slice& slice) {
    const uint64_t uuid = kCoreTrack + static_cast<uint64_t>(slice.core);
    Message begin, end;
    begin.number(event::kType, event::kBegin).number(event::kTrack, uuid);
    slice.is_task ? describe_task(begin, slice.row) : describe_stall(begin, slice.row);
    write_event(slice.begin, begin);
    write_event(slice.end, end.number(event::kType, event::kEnd).number(event::kTrack, uuid));
  }

  const Trace& trace_;
  std::ostream& out_;
  Names event_names_, annotation_names_, strings_;
  std::vector<uint64_t> kernels_, causes_, bound_by_;
  std::vector<SiteNames> sites_;
  std::vector<size_t> first_axis_;
  uint64_t task_name_ = 0, loc_name_ = 0, bound_by_name_ = 0;
};

}  // namespace

void write_perfetto(const Trace& trace, std::ostream& out) { PerfettoFile(trace, out).write(); }

}  // namespace pto
