// Traffic engineering over given paths. Keeps the GIL: a solve runs in a process of its own where it takes long.
#include <optional>

#include "alloc/routing.hpp"
#include "bindings/common.hpp"

namespace tiertwin::bindings {

namespace {

using alloc::Options;
using alloc::RoutingProblem;
using array = array_in<double>;
using indices = array_in<index_t>;

struct Routing {
    Routing(const indices& users, const indices& options, const indices& resource, const array& use, index_t count)
        : structure(view(users), view(options), view(resource), view(use), count) {}

    Options structure;

    std::span<const double> options(const char* name, const array& values) const {
        alloc::require_length(name, static_cast<std::size_t>(values.size()), structure.options(), "option");
        return view(values);
    }
    std::span<const double> resources(const char* name, const array& values) const {
        alloc::require_length(name, static_cast<std::size_t>(values.size()),
                              static_cast<std::size_t>(structure.resources), "resource");
        return view(values);
    }
};

using optional_array = std::optional<array>;

py::tuple solved(const Routing& routing, const array& demand, const array& capacity, const optional_array& share,
                 const optional_array& price, index_t limit, double tolerance, const py::object& stop) {
    const RoutingProblem problem(routing.structure, view(demand), view(capacity));
    alloc::RoutingStart start;
    if (share) start.share = routing.options("start share", *share);
    if (price) start.price = routing.resources("start price", *price);
    alloc::RoutingLimits limits{limit, tolerance, {}};
    if (!stop.is_none()) limits.stop = [&stop] { return stop().cast<bool>(); };
    const auto a = alloc::route(problem, start, limits);
    return py::make_tuple(fresh<double>(a.share), fresh<double>(a.price), fresh<double>(a.load), a.worth.utilisation,
                          a.bound, a.iterations, a.rounds, a.critical, a.groups, a.sweeps);
}

}  // namespace

void bind_routing(py::module_& m) {
    const auto a = [](const char* name) { return py::arg(name).noconvert(); };
    py::class_<Routing>(m, "Routing", "Demands, their paths and the links of these (CSR).")
        .def(py::init<const indices&, const indices&, const indices&, const array&, index_t>(), a("user_offsets"),
             a("option_offsets"), a("resource"), a("use"), "resources"_a)
        .def(
            "check",
            [](const Routing& routing, const array& demand, const array& capacity) {
                RoutingProblem(routing.structure, view(demand), view(capacity));
            },
            a("demand"), a("capacity"), "ValueError says which number is wrong, or which demand has no open path.")
        .def("solve", &solved, a("demand"), a("capacity"), py::arg("start_share").noconvert() = py::none(),
             py::arg("start_price").noconvert() = py::none(), "iteration_limit"_a = 200, "tolerance"_a = 1e-3,
             "stop"_a = py::none(),
             "Least utilisation of the fullest link: (share, price, load, utilisation, bound, iterations, rounds, "
             "critical, groups, sweeps).")
        .def(
            "value",
            [](const Routing& routing, const array& share, const array& demand, const array& capacity) {
                const RoutingProblem problem(routing.structure, view(demand), view(capacity));
                std::vector<double> load(problem.capacity.size());
                const auto worth = alloc::evaluate(problem, routing.options("share", share), load);
                return py::make_tuple(worth.utilisation, fresh<double>(load), worth.violation,
                                      static_cast<int>(worth.fault), worth.index);
            },
            a("share"), a("demand"), a("capacity"),
            "Independent checker: (utilisation, load, violation, fault, index).")
        .def(
            "bound",
            [](const Routing& routing, const array& price, const array& demand, const array& capacity) {
                const RoutingProblem problem(routing.structure, view(demand), view(capacity));
                return alloc::price_bound(problem, routing.resources("price", price));
            },
            a("price"), a("demand"), a("capacity"), "Lower bound on the utilisation of every split, from any prices.")
        .def(
            "fit",
            [](const Routing& routing, const array& share, const array& demand, const array& capacity) {
                const RoutingProblem problem(routing.structure, view(demand), view(capacity));
                const auto given = routing.options("share", share);
                std::vector<double> split(given.begin(), given.end());
                alloc::fit(problem, split);
                return fresh<double>(split);
            },
            a("share"), a("demand"), a("capacity"), "A split near these numbers.");
}

}  // namespace tiertwin::bindings
