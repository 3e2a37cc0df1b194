#include "pto/check.h"

namespace pto {
namespace {

std::string axes_of(const CheckedAccess& access, const pto_site& site) {
  std::string text;
  for (size_t i = 0; i < access.axes.size(); ++i) {
    text += (i ? ", " : "") + std::string(site.axes[i]) + "=" + std::to_string(access.axes[i]);
  }
  return text;
}

// "y[0:16, 0:64]"
std::string elements_of(const pto_region& region, const pto_program& program) {
  std::string text = std::string(program.tensors[region.tensor].name) + "[";
  for (uint32_t d = 0; d < region.rank; ++d) {
    text +=
        (d ? ", " : "") + std::to_string(region.offset[d]) + ":" + std::to_string(region.offset[d] + region.extent[d]);
  }
  return text + "]";
}

void describe(CheckedAccess& access, const pto_program& program) {
  constexpr const char* kVerbs[] = {" reads ", " writes ", " updates "};
  const pto_site& site = program.sites[access.site];
  const pto_kernel& kernel = program.kernels[access.kernel];
  access.loc = site.location;
  access.text = std::string(kernel.name) + "(" + axes_of(access, site) + ")" +
                kVerbs[kernel.params[access.parameter].role] + elements_of(access.region, program);
}

std::string line_of(const CheckedAccess& access) {
  return "  " + access.loc + ": task " + std::to_string(access.task) + ", " + access.text + "\n";
}

std::string lines_of(const std::string& what, const std::vector<Finding>& findings, const std::string& advice) {
  std::string text;
  for (const Finding& finding : findings) {
    text += what + ", " + edge_name(finding.kind) + ", " + std::to_string(finding.count) +
            (finding.count == 1 ? " pair:\n" : " pairs like this one:\n") + line_of(finding.earlier) +
            line_of(finding.later);
  }
  return findings.empty() ? "" : text + "  " + advice + "\n";
}

int64_t total(const std::vector<Finding>& findings) {
  int64_t count = 0;
  for (const Finding& finding : findings) count += finding.count;
  return count;
}

}  // namespace

void describe(CheckReport& report, const pto_program& program) {
  for (auto* findings : {&report.races, &report.partial_overlaps, &report.needless}) {
    for (Finding& finding : *findings) {
      describe(finding.earlier, program);
      describe(finding.later, program);
    }
  }
}

std::string check_text(const CheckReport& report) {
  std::string text = "check        " + std::to_string(report.tasks) + " tasks, " + std::to_string(report.pairs) +
                     " conflicting pairs, " + std::to_string(total(report.races)) + " of them not ordered; " +
                     std::to_string(total(report.needless)) + " of " + std::to_string(report.edges) +
                     " edges are implied by others\n";
  text += lines_of("race", report.races,
                   "nothing orders these tasks: give the later one after=, or let deps infer by overlap "
                   "(infer_bytes_overlap)");
  text += lines_of("partial overlap", report.partial_overlaps,
                   "exact matching sees equal regions alone: use infer_bytes_overlap, or equal regions");
  text += lines_of("needless edge", report.needless, "other edges order these tasks already: each costs a resolve");
  return text;
}

}  // namespace pto
