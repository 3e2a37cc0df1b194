#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <tuple>

#include "analysis/order_graph.h"
#include "analysis/order_processes.h"
#include "deps/box.h"
#include "deps/overlap_tracker.h"
#include "deps/task_edges.h"
#include "pto/check.h"
#include "pto/error.h"

namespace pto {
namespace {

// Pairs of the same launches and parameters are one finding.
class Findings {
 public:
  void add(CheckedAccess earlier, CheckedAccess later, EdgeKind kind) {
    const auto key =
        std::tuple(earlier.site, earlier.kernel, earlier.parameter, later.site, later.kernel, later.parameter, kind);
    const auto [at, is_new] = position_.try_emplace(key, list_.size());
    if (is_new) list_.push_back({std::move(earlier), std::move(later), kind, 0});
    ++list_[at->second].count;
  }
  std::vector<Finding> take() { return std::move(list_); }

 private:
  using Key = std::tuple<uint32_t, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t, EdgeKind>;
  std::map<Key, size_t> position_;
  std::vector<Finding> list_;
};

struct Pair {
  int64_t earlier, later;
  EdgeKind kind;
};

bool is_inferred(EdgeKind kind) { return kind == EdgeKind::Raw || kind == EdgeKind::Waw || kind == EdgeKind::War; }

// Inference by overlap meets every conflict; so does what it leaves to the window.
bool is_sound(const Schedule& schedule) {
  return schedule.deps != Deps::Explicit && schedule.infer == Infer::BytesOverlap;
}

// Order has to come from edges, so none is left to the window.
Schedule without_window(Schedule schedule) {
  schedule.window_mode = WindowMode::Benchmark;
  return schedule;
}

}  // namespace

struct RaceCheck::Impl {
  Impl(const Schedule& schedule, std::span<const KernelInfo> kernels, std::span<const TensorInfo> tensors,
       std::span<const pto_site> sites, const std::atomic<bool>& stop)
      : schedule_(schedule),
        kernels_(kernels.begin(), kernels.end()),
        sites_(sites),
        stop_(stop),
        edges_of_(is_sound(schedule) ? schedule : without_window(schedule), tensors),
        scopes_(graph_),
        processes_(graph_, scopes_) {
    if (!is_sound(schedule)) conflicts_.emplace(tensors, std::numeric_limits<int64_t>::max());
  }

  int64_t submit(const pto_task& task);
  void read(const pto_region& region);
  CheckReport finish();

  void remember(const pto_task& task);
  void add_node();
  void ask_for_needless_edges(int64_t id);
  void ask_for_order(int64_t id, const pto_task& task);
  void note_partial_overlaps(const Pair& pair);
  CheckedAccess access(int64_t task, uint32_t parameter) const;
  void add(Findings& findings, const Pair& pair) const;

  // Of a task: its operands lie in regions_, its axes in axes_.
  struct Remembered {
    uint32_t site, kernel;
    size_t regions, axes;
  };
  // A region as it is kept: tensor, rank, then offset and extent per axis.
  pto_region region(int64_t task, uint32_t parameter) const;
  // Calls visit(parameter, parameter, kind, equal) for each two operands in conflict.
  template <typename Visit>
  void visit_conflicts(const Pair& pair, Visit visit) const;

  const Schedule schedule_;
  const std::vector<KernelInfo> kernels_;
  const std::span<const pto_site> sites_;
  const std::atomic<bool>& stop_;
  TaskEdges edges_of_;
  std::optional<OverlapTracker> conflicts_;  // where the schedule's edges are not sound by themselves
  OrderGraph graph_;
  OrderScopes scopes_;
  OrderProcesses processes_;
  std::vector<OrderNode> nodes_;  // by task
  OrderNode last_read_ = kNoNode;
  std::vector<Remembered> tasks_;
  std::vector<int64_t> regions_, axes_;
  std::vector<Edge> edges_, conflicting_;
  std::vector<OrderNode> sources_;
  std::vector<int64_t> writers_;
  std::vector<Pair> to_order_, perhaps_needless_;
  Findings partial_;
  CheckReport report_;
};

int64_t RaceCheck::Impl::submit(const pto_task& task) {
  if (stop_) throw Stopped();
  const auto id = static_cast<int64_t>(tasks_.size());
  edges_of_.add_task(id, task, kernels_[task.kernel].roles, edges_);
  remember(task);
  add_node();
  ask_for_needless_edges(id);
  if (conflicts_) {
    ask_for_order(id, task);
  } else {
    report_.pairs += std::count_if(edges_.begin(), edges_.end(), [](const Edge& e) { return is_inferred(e.kind); });
  }
  return id;
}

void RaceCheck::Impl::remember(const pto_task& task) {
  tasks_.push_back({task.site, task.kernel, regions_.size(), axes_.size()});
  for (size_t i = 0; i < kernels_[task.kernel].roles.size(); ++i) {
    const pto_region& region = task.operands[i];
    regions_.push_back(region.tensor);
    regions_.push_back(region.rank);
    for (uint32_t d = 0; d < region.rank; ++d) {
      regions_.push_back(region.offset[d]);
      regions_.push_back(region.extent[d]);
    }
  }
  if (task.site < sites_.size()) axes_.insert(axes_.end(), task.axes, task.axes + sites_[task.site].axis_count);
}

void RaceCheck::Impl::add_node() {
  sources_.clear();
  for (const Edge& edge : edges_) sources_.push_back(nodes_[static_cast<size_t>(edge.source)]);
  for (const OrderNode node : {scopes_.awaited(), processes_.awaited(), last_read_}) {
    if (node != kNoNode) sources_.push_back(node);
  }
  nodes_.push_back(graph_.add(sources_));
  scopes_.add_member(nodes_.back());
  processes_.add_member(nodes_.back());
}

// An edge is implied only by way of a source that is later than its own.
void RaceCheck::Impl::ask_for_needless_edges(int64_t id) {
  const OrderNode latest = sources_.empty() ? 0 : *std::max_element(sources_.begin(), sources_.end());
  const int64_t window = implied_after(schedule_);
  for (const Edge& edge : edges_) {
    if (id - edge.source >= window) continue;
    ++report_.edges;
    if (is_inferred(edge.kind) && nodes_[static_cast<size_t>(edge.source)] < latest) {
      perhaps_needless_.push_back({edge.source, id, edge.kind});
    }
  }
}

void RaceCheck::Impl::ask_for_order(int64_t id, const pto_task& task) {
  const std::vector<pto_role>& roles = kernels_[task.kernel].roles;
  conflicts_->add_task(id, {task.operands, roles.size()}, roles, conflicting_);
  report_.pairs += static_cast<int64_t>(conflicting_.size());
  const auto before = [](const Edge& edge, const Edge& other) { return edge.source < other.source; };
  for (const Edge& edge : conflicting_) {
    const Pair pair{edge.source, id, edge.kind};
    if (!std::binary_search(edges_.begin(), edges_.end(), edge, before)) to_order_.push_back(pair);
    if (schedule_.deps != Deps::Explicit) note_partial_overlaps(pair);
  }
}

// Rule 4, whatever deps is: what comes after a read comes after the writers that it waited for.
void RaceCheck::Impl::read(const pto_region& region) {
  if (stop_) throw Stopped();
  edges_of_.find_writers(region, static_cast<int64_t>(tasks_.size()), writers_);
  if (writers_.empty()) return;
  sources_.clear();
  for (const int64_t writer : writers_) sources_.push_back(nodes_[static_cast<size_t>(writer)]);
  if (last_read_ != kNoNode) sources_.push_back(last_read_);
  last_read_ = graph_.add(sources_);
}

pto_region RaceCheck::Impl::region(int64_t task, uint32_t parameter) const {
  const int64_t* at = regions_.data() + tasks_[static_cast<size_t>(task)].regions;
  for (; parameter > 0; --parameter) at += 2 + 2 * at[1];
  pto_region region{};
  region.tensor = static_cast<uint32_t>(at[0]);
  region.rank = static_cast<uint32_t>(at[1]);
  for (uint32_t d = 0; d < region.rank; ++d) {
    region.offset[d] = at[2 + 2 * d];
    region.extent[d] = at[3 + 2 * d];
  }
  return region;
}

template <typename Visit>
void RaceCheck::Impl::visit_conflicts(const Pair& pair, Visit visit) const {
  const auto& early = kernels_[tasks_[static_cast<size_t>(pair.earlier)].kernel].roles;
  const auto& late = kernels_[tasks_[static_cast<size_t>(pair.later)].kernel].roles;
  for (uint32_t l = 0; l < late.size(); ++l) {
    const Box box = box_of(region(pair.later, l));
    if (is_empty(box)) continue;
    for (uint32_t e = 0; e < early.size(); ++e) {
      if (early[e] == PTO_IN && late[l] == PTO_IN) continue;
      const Box other = box_of(region(pair.earlier, e));
      if (other.tensor != box.tensor || is_empty(other) || !share_an_element(box, other)) continue;
      const EdgeKind kind = early[e] == PTO_IN ? EdgeKind::War : late[l] == PTO_OUT ? EdgeKind::Waw : EdgeKind::Raw;
      visit(e, l, kind, same_elements(box, other));
    }
  }
}

void RaceCheck::Impl::note_partial_overlaps(const Pair& pair) {
  visit_conflicts(pair, [&](uint32_t earlier, uint32_t later, EdgeKind kind, bool equal) {
    if (!equal) partial_.add(access(pair.earlier, earlier), access(pair.later, later), kind);
  });
}

CheckedAccess RaceCheck::Impl::access(int64_t task, uint32_t parameter) const {
  const Remembered& known = tasks_[static_cast<size_t>(task)];
  CheckedAccess access;
  access.task = task;
  access.site = known.site;
  access.kernel = known.kernel;
  access.parameter = parameter;
  access.region = region(task, parameter);
  if (known.site < sites_.size()) {
    const auto first = axes_.begin() + static_cast<std::ptrdiff_t>(known.axes);
    access.axes.assign(first, first + sites_[known.site].axis_count);
  }
  return access;
}

// By the first two operands that conflict in the pair's own way.
void RaceCheck::Impl::add(Findings& findings, const Pair& pair) const {
  bool found = false;
  visit_conflicts(pair, [&](uint32_t earlier, uint32_t later, EdgeKind kind, bool) {
    if (found || kind != pair.kind) return;
    findings.add(access(pair.earlier, earlier), access(pair.later, later), kind);
    found = true;
  });
}

CheckReport RaceCheck::Impl::finish() {
  std::vector<PathQuery> queries;
  for (const auto* pairs : {&to_order_, &perhaps_needless_}) {
    for (const Pair& pair : *pairs) {
      queries.push_back({nodes_[static_cast<size_t>(pair.earlier)], nodes_[static_cast<size_t>(pair.later)]});
    }
  }
  const std::vector<bool> has_path = find_paths(graph_, queries, stop_);
  Findings races, needless;
  for (size_t i = 0; i < to_order_.size(); ++i) {
    if (!has_path[i]) add(races, to_order_[i]);
  }
  for (size_t i = 0; i < perhaps_needless_.size(); ++i) {
    if (has_path[to_order_.size() + i]) add(needless, perhaps_needless_[i]);
  }
  report_.tasks = static_cast<int64_t>(tasks_.size());
  report_.races = races.take();
  report_.partial_overlaps = partial_.take();
  report_.needless = needless.take();
  return std::move(report_);
}

RaceCheck::RaceCheck(const Schedule& schedule, std::span<const KernelInfo> kernels, std::span<const TensorInfo> tensors,
                     std::span<const pto_site> sites, const std::atomic<bool>& stop)
    : impl_(std::make_unique<Impl>(schedule, kernels, tensors, sites, stop)) {}

RaceCheck::~RaceCheck() = default;

int64_t RaceCheck::submit(const pto_task& task) { return impl_->submit(task); }
void RaceCheck::read(const pto_region& region) { impl_->read(region); }
void RaceCheck::scope_begin() { impl_->scopes_.begin(); }
void RaceCheck::part() { impl_->scopes_.part(); }
void RaceCheck::scope_end() { impl_->scopes_.end(); }
void RaceCheck::processes_begin(uint32_t count) { impl_->processes_.begin(count); }
void RaceCheck::process(uint32_t number) { impl_->processes_.turn(number); }
void RaceCheck::processes_end() { impl_->processes_.end(); }
void RaceCheck::loop_begin() { impl_->processes_.loop_begin(); }
void RaceCheck::iteration() { impl_->processes_.iteration(); }
void RaceCheck::loop_end() { impl_->processes_.loop_end(); }
void RaceCheck::mark(uint32_t event) { impl_->processes_.mark(event); }
void RaceCheck::wait(uint32_t event, ProcessWait) { impl_->processes_.wait(event); }
void RaceCheck::forget(uint32_t) {}
CheckReport RaceCheck::finish() { return impl_->finish(); }

}  // namespace pto
