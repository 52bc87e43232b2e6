#include "bindings/common.hpp"

namespace tiertwin::bindings {

void bind_abstraction(py::module_& m) {
    (void)m;
}

}  // namespace tiertwin::bindings
