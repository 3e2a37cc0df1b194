// Machine profiles as Python reads them.
#include "pto/machine.h"

#include <pybind11/pybind11.h>
#include <pybind11/stl/filesystem.h>

#include <filesystem>
#include <stdexcept>
#include <string>

namespace py = pybind11;

namespace {

int64_t amount(const pto::Machine& machine, const std::string& key) {
  try {
    return machine.amount(key);
  } catch (const std::logic_error& error) {
    throw py::key_error(error.what());
  }
}

}  // namespace

void bind_machine(py::module_& m) {
  py::class_<pto::Machine>(m, "Machine")
      .def(py::init([](const std::filesystem::path& profile) { return pto::Machine::load(profile); }),
           py::arg("profile"))
      .def("amount", &amount, py::arg("key"))
      .def("set", &pto::Machine::set, py::arg("key"), py::arg("value"));
}
