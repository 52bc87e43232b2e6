// What failures cut off. `single_failures` keeps the GIL (milliseconds); the sweeps release it.
#include <optional>

#include "bindings/arrays.hpp"
#include "graph/cuts.hpp"
#include "whatif/failures.hpp"

namespace tiertwin::bindings {
namespace {

using CablesPtr = std::shared_ptr<Cables>;

NodeWeights columns_of(const Graph& graph, const Reals& weights) {
    if (weights.ndim() != 2 || weights.shape(0) != graph.node_count())
        throw InvalidArgument("weights: expected shape (" + std::to_string(graph.node_count()) +
                              " nodes, columns), got " + std::to_string(weights.ndim()) + " dimensions of " +
                              std::to_string(weights.size()) + " numbers");
    return {view(weights), weights.shape(1)};
}

py::array_t<double> table(std::vector<py::ssize_t> shape) { return py::array_t<double>(std::move(shape)); }

py::tuple single(const Cables& cables, const Ints& roots, const Reals& weights, const Overlay* overlay) {
    const NodeWeights columns = columns_of(*cables.graph(), weights);
    auto by_cable = table({cables.count(), columns.columns}), by_node = table({cables.node_count(), columns.columns});
    auto already = table({columns.columns});
    single_failures(cables, over(*cables.graph(), overlay), vector_in(roots, "roots"), columns,
                    {out(by_cable), out(by_node), out(already)});
    return py::make_tuple(by_cable, by_node, already);
}

// The core of a set of elements, ready for sweeps; it keeps no reference to what it was made of.
Core core_of(const Cables& cables, const Ints& roots, const Reals& weights, const Ints& at_cables, const Ints& at_nodes,
             const Overlay* overlay) {
    return {cables,
            over(*cables.graph(), overlay),
            vector_in(roots, "roots"),
            columns_of(*cables.graph(), weights),
            {vector_in(at_cables, "cables"), vector_in(at_nodes, "nodes")}};
}

py::array_t<double> pairs(const Core& core, index_t first, std::optional<index_t> last) {
    const auto elements = static_cast<index_t>(core.elements());
    const index_t end = last.value_or(elements);
    if (first < 0 || end > elements || first > end)
        throw InvalidArgument("rows " + std::to_string(first) + " to " + std::to_string(end) + ": expected 0 <= first" +
                              " <= last <= " + std::to_string(elements) + " elements");
    auto lost = table({end - first, elements, static_cast<py::ssize_t>(core.columns())});
    const auto numbers = out(lost);
    const py::gil_scoped_release free;  // a search a row: up to seconds
    failure_pairs(core, static_cast<std::size_t>(first), static_cast<std::size_t>(end), numbers);
    return lost;
}

py::array_t<double> scenarios(const Core& core, const Ints& start, const Ints& element) {
    const auto begins = vector_in(start, "start"), named = vector_in(element, "element");
    // Copies: another thread may write to the arrays once the GIL is free.
    const std::vector<index_t> starts(begins.begin(), begins.end()), elements(named.begin(), named.end());
    const Scenarios all{starts, elements};
    require_scenarios(all, core.elements());
    auto lost = table({static_cast<py::ssize_t>(all.size()), static_cast<py::ssize_t>(core.columns())});
    const auto numbers = out(lost);
    const py::gil_scoped_release free;  // a search a scenario: up to minutes
    failure_scenarios(core, all, numbers);
    return lost;
}

}  // namespace

void bind_failures(py::module_& m) {
    py::class_<Cables, CablesPtr>(m, "Cables", "A graph with directions ignored: cables of one or more links.")
        .def(py::init([](const std::shared_ptr<Graph>& g, const std::optional<Ints>& cable) {
                 return cable ? std::make_shared<Cables>(g, vector_in(*cable, "cable")) : std::make_shared<Cables>(g);
             }),
             "graph"_a.none(false), "cable"_a.noconvert() = py::none())
        .def_property_readonly("count", &Cables::count)
        .def(
            "of_links", [](const Cables& cables) { return widen(cables.of_links()); }, "The cable of every link.")
        .def("single_failures", &single, "roots"_a.noconvert(), "weights"_a.noconvert(), "overlay"_a = py::none(),
             "Weights cut off from all roots by each cable, by each node, and already.");
    py::class_<Core>(m, "FailureCore", "What may fail in a network, the rest folded into it: sweeps over failures.")
        .def(py::init(&core_of), "cables"_a, "roots"_a.noconvert(), "weights"_a.noconvert(), "at_cables"_a.noconvert(),
             "at_nodes"_a.noconvert(), "overlay"_a = py::none())
        .def_property_readonly("node_count", &Core::nodes)
        .def_property_readonly("element_count", &Core::elements)
        .def("pairs", &pairs, "first"_a = 0, "last"_a = py::none(),
             "Weights cut off when elements (cables, then nodes) first..last-1 fail together with each element.")
        .def("scenarios", &scenarios, "start"_a.noconvert(), "element"_a.noconvert(),
             "Weights cut off when the elements element[start[s]:start[s+1]] fail together.");
}

}  // namespace tiertwin::bindings
