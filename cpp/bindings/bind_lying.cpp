// The watch over children that may lie. Convert, call, return; keeps the GIL: a call is one report of each child.
#include "assure/lying.hpp"
#include "bindings/arrays.hpp"

namespace tiertwin::bindings {

using namespace assure;

void bind_lying(py::module_& m) {
    py::class_<LieWatch>(m, "LieWatch")
        .def(py::init([](index_t children, const std::vector<double>& decays, double spread, double slack,
                         double slack_rate, double noise, double repeat, double forget, double common, double limit,
                         double calm, double most_share, index_t prints, index_t warm, index_t hold) {
                 return LieWatch(children, {decays, spread, slack, slack_rate, noise, repeat, forget, common, limit,
                                            calm, most_share, prints, warm, hold});
             }),
             "children"_a, py::kw_only(), "decays"_a, "spread"_a, "slack"_a, "slack_rate"_a, "noise"_a, "repeat"_a,
             "forget"_a, "common"_a, "limit"_a, "calm"_a, "most_share"_a, "prints"_a, "warm"_a, "hold"_a)
        .def(
            "push",
            [](LieWatch& watch, const array_in<bool>& fresh, const Reals& made, const Reals& done, const Reals& missed,
               const Reals& least, const Reals& most, const Reals& bounds, const Reals& measured) {
                static_assert(sizeof(bool) == 1);
                const auto came = vector_in(fresh, "fresh");
                if (measured.ndim() != 2 || measured.shape(0) != watch.children())
                    throw InvalidArgument("measured: expected shape (" + std::to_string(watch.children()) +
                                          ", width), got " + py::str(measured.attr("shape")).cast<std::string>());
                return watch.push({{reinterpret_cast<const std::uint8_t*>(came.data()), came.size()},
                                   vector_in(made, "made"),
                                   vector_in(done, "done"),
                                   vector_in(missed, "missed"),
                                   vector_in(least, "least"),
                                   vector_in(most, "most"),
                                   vector_in(bounds, "bounds"),
                                   view(measured)});
            },
            "fresh"_a.noconvert(), "made"_a.noconvert(), "done"_a.noconvert(), "missed"_a.noconvert(),
            "least"_a.noconvert(), "most"_a.noconvert(), "bounds"_a.noconvert(), "measured"_a.noconvert(),
            "Take the reports that came; returns how many children went into or out of quarantine.")
        .def(
            "evidence", [](const LieWatch& watch) { return fresh(watch.evidence()); }, "Nats against each child.")
        .def(
            "reason", [](const LieWatch& watch) { return fresh(watch.reason()); }, "Code of the evidence's reason.")
        .def(
            "quarantine", [](const LieWatch& watch) { return fresh(watch.quarantine()); },
            "Why each child is in quarantine; 0: it is not.")
        .def(
            "fork", [](const LieWatch& watch) { return LieWatch(watch); }, "A copy that goes on by itself.")
        .def(
            "__deepcopy__", [](const LieWatch& watch, const py::dict&) { return LieWatch(watch); }, "memo"_a)
        .def_property_readonly("repeating", &LieWatch::repeating)
        .def_property_readonly("suspected", &LieWatch::suspected)
        .def_property_readonly("children", &LieWatch::children)
        .def("memory_bytes", &LieWatch::memory_bytes);
}

}  // namespace tiertwin::bindings
