// What kernels cost, from their fragments alone: no program has to be built.
#include "pto/cost.h"

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "pto/dtype.h"
#include "pto/machine.h"

namespace py = pybind11;

namespace {

using py::literals::operator""_a;

// op, pipe, dtype, (m, k, n), bytes, trips, the loops around it, a transfer's parameter
using Fragment = std::tuple<std::string, std::string, std::string, std::tuple<int64_t, int64_t, int64_t>, int64_t,
                            int64_t, std::vector<uint32_t>, int32_t>;

uint8_t pipe_named(const std::string& name) {
  constexpr const char* kPipes[] = {"load", "cube", "vector", "store"};
  for (uint8_t i = 0; i < 4; ++i) {
    if (name == kPipes[i]) return i;
  }
  throw py::value_error("expected a pipe, found '" + name + "'");
}

pto_fragment fragment_of(const Fragment& fragment) {
  const auto& [op, pipe, dtype, extents, bytes, trips, around, parameter] = fragment;
  const auto known = pto::dtype_named(dtype);
  if (!known) throw py::value_error("expected a dtype, found '" + dtype + "'");
  const auto& [m, k, n] = extents;
  uint64_t loops = 0;
  for (const uint32_t loop : around) loops |= uint64_t{1} << loop;
  return {op.c_str(), pipe_named(pipe), static_cast<uint8_t>(*known), m, k, n, bytes, trips, loops, parameter};
}

py::dict to_python(const pto::KernelReport& report) {
  py::list pipes, buffers, loops;
  for (const pto::PipeUse& pipe : report.pipes) {
    pipes.append(py::dict("name"_a = pipe.name, "cycles"_a = pipe.cycles, "bytes"_a = pipe.bytes));
  }
  for (const pto::BufferUse& buffer : report.buffers) {
    buffers.append(py::dict("name"_a = buffer.name, "used"_a = buffer.used, "size"_a = buffer.size));
  }
  for (const pto::LoopReport& loop : report.loops) {
    loops.append(py::dict("location"_a = loop.location, "cycles"_a = loop.cycles, "bytes"_a = loop.bytes,
                          "moved_bytes"_a = loop.moved_bytes, "operations"_a = loop.operations));
  }
  const pto::KernelCost& cost = report.cost;
  return py::dict(
      "name"_a = report.name, "location"_a = report.location, "unit"_a = report.unit == PTO_CUBE ? "cube" : "vector",
      "load"_a = cost.load, "compute"_a = cost.compute, "store"_a = cost.store, "bytes"_a = cost.bytes,
      "read_bytes"_a = cost.read_bytes, "moved_bytes"_a = cost.moved_bytes, "borrowed_vector"_a = cost.borrowed_vector,
      "bound_by"_a = cost.bound_by, "operations"_a = report.operations, "roofline"_a = report.roofline,
      "pipes"_a = pipes, "buffers"_a = buffers, "loops"_a = loops);
}

py::dict kernel_report(const pto::Machine& machine, const std::string& name, const std::string& location,
                       const std::string& unit, const std::vector<Fragment>& fragments,
                       const std::vector<std::string>& loop_locations) {
  std::vector<pto_fragment> all;
  for (const Fragment& fragment : fragments) all.push_back(fragment_of(fragment));
  std::vector<pto_loop> loops;
  for (const std::string& place : loop_locations) loops.push_back({place.c_str(), 0, 1, nullptr});
  const pto_kernel kernel = {name.c_str(),
                             location.c_str(),
                             static_cast<uint8_t>(unit == "cube" ? PTO_CUBE : PTO_VECTOR),
                             0,
                             nullptr,
                             static_cast<uint32_t>(all.size()),
                             all.data(),
                             0,
                             nullptr,
                             0,
                             nullptr,
                             static_cast<uint32_t>(loops.size()),
                             loops.data()};
  return to_python(pto::kernel_report(kernel, machine));
}

}  // namespace

void bind_cost(py::module_& m) {
  m.def("kernel_report", &kernel_report, py::arg("machine"), py::arg("name"), py::arg("location"), py::arg("unit"),
        py::arg("fragments"), py::arg("loops"));
}
