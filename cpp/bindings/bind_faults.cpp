// Faults of the plant, and the counters in which they show. Convert, call, return.
#include "bindings/reports.hpp"

namespace tiertwin::bindings {

using plant::Plant;

void bind_faults(py::class_<Plant>& bound) {
    bound
        .def("enable_faults", &Plant::enable_faults,
             "Let faults be injected and counters be reported; before anything happened (cpp/plant/faults.hpp).")
        .def("set_link_fault", &Plant::set_link_fault, "link"_a, "down"_a, "capacity"_a, "loss"_a,
             "What ails a directed link from now on: down, share of its capacity, share lost over it.")
        .def("set_server_fault", &Plant::set_server_fault, "server"_a, "down"_a, "speed"_a,
             "What ails a server from now on: down, share of its speed.")
        .def("set_site_fault", &Plant::set_site_fault, "site"_a, "silent"_a, "deaf"_a,
             "What ails a site from now on: nothing there is heard; its cells take nothing (without radio access).")
        .def(
            "take_counters",
            [](Plant& p, Time until) {
                return py::make_tuple(reports(p.take_link_counters(until)), reports(p.take_server_counters(until)));
            },
            "until_ns"_a,
            "Counters arrived by then: links' frames, bad frames, tasks lost; servers' least and mean response, "
            "tasks.");
}

}  // namespace tiertwin::bindings
