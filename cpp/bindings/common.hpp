// The one header that includes pybind11: every binding file sees the same type casters (one definition rule).
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <span>

namespace py = pybind11;
using namespace pybind11::literals;  // NOLINT: "_a" in binding files only

namespace tiertwin::bindings {

// One function a module, called by module.cpp in dependency order.
void bind_base(py::module_& m);
void bind_graph(py::module_& m);
void bind_paths(py::module_& m);
void bind_state(py::module_& m);
void bind_queueing(py::module_& m);
void bind_radio(py::module_& m);
void bind_cells(py::module_& m);
void bind_sinr(py::module_& m);
void bind_handover(py::module_& m);
void bind_alloc(py::module_& m);
void bind_families(py::module_& m);
void bind_master(py::module_& m);
void bind_routing(py::module_& m);
void bind_spectrum(py::module_& m);
void bind_sync(py::module_& m);
void bind_session(py::module_& m);
void bind_log(py::module_& m);
void bind_abstraction(py::module_& m);
void bind_teller(py::module_& m);
void bind_worth(py::module_& m);
void bind_assure(py::module_& m);
void bind_lying(py::module_& m);
void bind_perf(py::module_& m);
void bind_failures(py::module_& m);
void bind_whatif(py::module_& m);
void bind_forecast(py::module_& m);
void bind_localise(py::module_& m);
void bind_plant(py::module_& m);
void bind_wear(py::module_& m);
void bind_mobility(py::module_& m);
void bind_packets(py::module_& m);
void bind_access(py::module_& m);

// Exact dtype and C order: anything else is refused by `checked` with a TypeError that says what came.
template <typename T>
using array_in = py::array_t<T, py::array::c_style>;

template <typename T>
std::span<const T> view(const array_in<T>& array) {
    return {array.data(), static_cast<std::size_t>(array.size())};
}

// A fresh one-dimensional array that owns its memory.
template <typename T>
py::array_t<T> fresh(std::span<const T> values) {
    return py::array_t<T>(static_cast<py::ssize_t>(values.size()), values.data());
}

}  // namespace tiertwin::bindings
