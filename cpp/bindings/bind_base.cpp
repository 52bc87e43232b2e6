// Errors (all of them, here only) and the keyed random numbers.
#include "base/error.hpp"
#include "bindings/common.hpp"

namespace tiertwin::bindings {

void bind_base(py::module_& m) {
    auto& error = py::register_exception<Error>(m, "CoreError", PyExc_RuntimeError);
    (void)error;
    py::register_exception<InvalidArgument>(m, "CoreValueError", PyExc_ValueError);
    py::register_exception<NotFound>(m, "CoreKeyError", PyExc_KeyError);
    py::register_exception<Refused>(m, "CoreRefusedError", PyExc_RuntimeError);
}

}  // namespace tiertwin::bindings
