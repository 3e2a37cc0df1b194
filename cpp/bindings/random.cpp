// Elements of procedural tensors, for Tensor.numpy().
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <stdexcept>
#include <string>

#include "pto/dtype.h"
#include "pto/tile_ops.h"

namespace py = pybind11;

namespace {

py::array_t<uint8_t> fill_random(const std::string& dtype, uint64_t seed, const std::string& name, float scale,
                                 uint64_t first, int64_t count) {
  const auto type = pto::dtype_named(dtype);
  if (!type) throw std::invalid_argument("unknown dtype " + dtype);
  py::array_t<uint8_t> bytes(count * pto::dtype_info(*type).bytes);
  uint8_t* out = bytes.mutable_data();
  const py::gil_scoped_release release;
  pto::fill_random(*type, pto::random_key(seed, name.c_str()), scale, first, count, out);
  return bytes;
}

}  // namespace

void bind_random(py::module_& m) {
  m.def("fill_random", &fill_random, py::arg("dtype"), py::arg("seed"), py::arg("name"), py::arg("scale"),
        py::arg("first"), py::arg("count"));
}
