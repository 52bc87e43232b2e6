// Errors (all of them, here only) and the keyed random numbers.
#include "base/error.hpp"
#include "base/random.hpp"
#include "bindings/common.hpp"

namespace tiertwin::bindings {

void bind_base(py::module_& m) {
    auto& error = py::register_exception<Error>(m, "CoreError", PyExc_RuntimeError);
    (void)error;
    py::register_exception<InvalidArgument>(m, "CoreValueError", PyExc_ValueError);
    py::register_exception<NotFound>(m, "CoreKeyError", PyExc_KeyError);
    py::register_exception<Refused>(m, "CoreRefusedError", PyExc_RuntimeError);

    m.def(
        "philox",
        [](std::uint64_t seed, std::uint64_t entity, std::uint32_t purpose, py::ssize_t n) {
            if (n < 0) throw InvalidArgument("n is " + std::to_string(n) + "; expected at least 0");
            py::array_t<double> uniforms(n);
            Stream stream(seed, entity, purpose);
            std::generate_n(uniforms.mutable_data(), n, [&stream] { return stream.uniform(); });
            return uniforms;
        },
        "seed"_a, "entity"_a, "purpose"_a, "n"_a,
        "The first n uniforms in [0, 1) of the stream (seed, entity, purpose).");
}

}  // namespace tiertwin::bindings
