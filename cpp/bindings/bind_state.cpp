#include "bindings/common.hpp"

namespace tiertwin::bindings {

void bind_state(py::module_& m) {
    (void)m;
}

}  // namespace tiertwin::bindings
