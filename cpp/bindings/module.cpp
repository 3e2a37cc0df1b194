// The extension `pto_wsp._core`: each file beside this one binds a part.
#include <pybind11/pybind11.h>

void bind_analysis(pybind11::module_& m);
void bind_cost(pybind11::module_& m);
void bind_machine(pybind11::module_& m);
void bind_program(pybind11::module_& m);
void bind_random(pybind11::module_& m);
void bind_table(pybind11::module_& m);

PYBIND11_MODULE(_core, m) {
  m.attr("__version__") = PTO_VERSION;
  bind_analysis(m);
  bind_cost(m);
  bind_machine(m);
  bind_program(m);
  bind_random(m);
  bind_table(m);
}
