// Questions of paths, flows and shares of ways. All keep the GIL but `betweenness`: one search a node takes seconds.
#include <optional>

#include "bindings/arrays.hpp"
#include "graph/between.hpp"
#include "graph/betweenness.hpp"
#include "graph/disjoint.hpp"
#include "graph/flow.hpp"
#include "graph/folding.hpp"
#include "graph/repair.hpp"

namespace tiertwin::bindings {
namespace {

py::tuple share_of_ways(const Graph& g, const std::optional<Ints>& pivots, const Overlay* overlay) {
    auto by_node = empty<double>(g.node_count()), by_link = empty<double>(g.link_count());
    const auto nodes = out(by_node), links = out(by_link);
    // Copies: another thread may write to the pivots or the overlay once the GIL is free.
    const auto given = pivots ? vector_in(*pivots, "pivots") : std::span<const index_t>();
    const std::vector<index_t> from(given.begin(), given.end());
    const auto through = over(g, overlay) == nullptr ? std::nullopt : std::optional(*overlay);
    {
        const py::gil_scoped_release free;  // milliseconds a source: seconds to minutes
        betweenness(g, through ? &*through : nullptr, from, !pivots.has_value(), nodes, links);
    }
    return py::make_tuple(by_node, by_link);
}

py::tuple flow_and_cut(const Graph& g, index_t src, index_t dst, const Reals& capacity, const Overlay* overlay) {
    const MaxFlow found = max_flow(g, over(g, overlay), {src}, {dst}, vector_in(capacity, "capacity"));
    py::array_t<bool> side(static_cast<py::ssize_t>(found.source_side.size()));
    std::ranges::transform(found.source_side, side.mutable_data(), [](std::uint8_t in) { return in != 0; });
    return py::make_tuple(found.value, fresh(std::span(found.flow)), side, links_of(found.cut));
}

py::array_t<double> distances_to(const RepairedPaths& paths, const Ints& nodes) {
    auto distance = empty<double>(nodes.size());
    std::ranges::transform(vector_in(nodes, "nodes"), distance.mutable_data(), [&paths](index_t node) {
        paths.graph()->require(NodeId{node}, "node");
        return paths.distance()[static_cast<std::size_t>(node)];
    });
    return distance;
}

void bind_repaired(py::module_& m) {
    py::class_<RepairedPaths>(m, "RepairedPaths", "Shortest paths from one node, kept right through changes.")
        .def(py::init([](const std::shared_ptr<Graph>& g, index_t source, const Overlay* overlay) {
                 return RepairedPaths(g, over(*g, overlay), {source});
             }),
             "graph"_a.none(false), "source"_a, "overlay"_a = py::none())
        .def(
            "update",
            [](RepairedPaths& paths, const Overlay& overlay, const Ints& links, const Ints& nodes) {
                return paths.update(*over(*paths.graph(), &overlay), vector_in(links, "links"),
                                    vector_in(nodes, "nodes"));
            },
            "overlay"_a, "links"_a.noconvert(), "nodes"_a.noconvert(),
            "Take in what changed; how many nodes have another distance.")
        .def(
            "distance", [](const RepairedPaths& paths) { return fresh(paths.distance()); }, "Distance of every node.")
        .def(
            "via_link", [](const RepairedPaths& paths) { return widen(paths.via_link()); },
            "Last link on the way to every node (-1: none).")
        .def("distances_to", &distances_to, "nodes"_a.noconvert(), "Distances of some nodes.");
}

void bind_searches(py::module_& m) {
    py::class_<PathFinder>(m, "PathFinder", "Paths between two nodes; keeps its working memory.")
        .def(py::init([](const std::shared_ptr<Graph>& g) { return PathFinder(g); }), "graph"_a.none(false))
        .def(
            "shortest_path",
            [](PathFinder& finder, index_t src, index_t dst, const Overlay* overlay) {
                const PathFound found = finder.shortest_path(over(*finder.graph(), overlay), {src}, {dst});
                return py::make_tuple(found.length, links_of(found.links));
            },
            "src"_a, "dst"_a, "overlay"_a = py::none(),
            "Length and links of a shortest path (infinite, none: no way).");
    py::class_<Folding>(m, "Folding", "A graph with its hanging trees folded away.")
        .def(py::init([](const std::shared_ptr<Graph>& g) { return Folding(g); }), "graph"_a.none(false))
        .def_property_readonly("core_count", &Folding::core_count)
        .def(
            "shortest_paths",
            [](const Folding& folding, index_t source, const Overlay* overlay) {
                auto distance = empty<double>(folding.graph()->node_count());
                auto via = empty<index_t>(folding.graph()->node_count());
                folding.shortest_paths(over(*folding.graph(), overlay), {source}, out(distance), out(via));
                return py::make_tuple(distance, via);
            },
            "source"_a, "overlay"_a = py::none(), "As Graph.shortest_paths, without searching the folded part.");
}

}  // namespace

void bind_paths(py::module_& m) {
    bind_searches(m);
    bind_repaired(m);
    m.def(
        "disjoint_paths",
        [](const Graph& g, index_t src, index_t dst, index_t k, const Overlay* overlay, bool by_nodes) {
            return lists_of(disjoint_paths(g, over(g, overlay), {src}, {dst}, k, by_nodes));
        },
        "graph"_a, "src"_a, "dst"_a, "k"_a, "overlay"_a = py::none(), "by_nodes"_a = false,
        "At most k paths of least total weight that share no link (no node on the way).");
    m.def("max_flow", &flow_and_cut, "graph"_a, "src"_a, "dst"_a, "capacity"_a.noconvert(), "overlay"_a = py::none(),
          "Value, flow of every link, source side of a minimum cut, links of the cut.");
    m.def("betweenness", &share_of_ways, "graph"_a, "pivots"_a.noconvert() = py::none(), "overlay"_a = py::none(),
          "Shortest ways through every node and link (exact, or scaled up from pivots).");
}

}  // namespace tiertwin::bindings
