// Graph, overlay and what is computed over them. All calls keep the GIL: at the sizes of a tree they take micro- to
// milliseconds; the sweeps that take long are `whatif`'s.
#include "bindings/arrays.hpp"
#include "graph/components.hpp"
#include "graph/ecmp.hpp"
#include "graph/graph.hpp"
#include "graph/overlay.hpp"
#include "graph/partition.hpp"
#include "graph/paths.hpp"

namespace tiertwin::bindings {
namespace {

struct Routed {
    py::array_t<double> load, lost;
};

Routed route(const Graph& g, const Ints& src, const Ints& dst, const Reals& volume, const Overlay* overlay,
             bool by_hops, double tolerance) {
    Routed routed{empty<double>(g.link_count()), empty<double>(src.size())};
    ecmp_loads(g, over(g, overlay), {vector_in(src, "src"), vector_in(dst, "dst"), vector_in(volume, "volume")},
               {by_hops, tolerance}, out(routed.load), out(routed.lost));
    return routed;
}

void require_delivered(Routed& routed, const Ints& src, const Ints& dst) {
    const auto lost = out(routed.lost);
    const auto first = std::ranges::find_if(lost, [](double volume) { return volume > 0; });
    if (first == lost.end()) return;
    const auto d = static_cast<py::ssize_t>(first - lost.begin());
    throw InvalidArgument("demand " + std::to_string(d) + " from node " + std::to_string(src.at(d)) + " to node " +
                          std::to_string(dst.at(d)) + " has no way; `ecmp_loads_and_lost` routes the rest");
}

}  // namespace

void bind_graph(py::module_& m) {
    py::class_<Graph, std::shared_ptr<Graph>> graph(m, "Graph", "Directed links in compressed rows; immutable.");
    py::class_<Overlay, std::shared_ptr<Overlay>>(m, "Overlay",
                                                  "Failed links and nodes and weight multipliers over a graph.")
        .def(py::init([](const std::shared_ptr<Graph>& g) { return Overlay(g); }), "graph"_a.none(false))
        .def(
            "fail_link", [](Overlay& o, index_t l) { o.fail_link({l}); }, "link"_a, "Take a link away.")
        .def(
            "fail_node", [](Overlay& o, index_t n) { o.fail_node({n}); }, "node"_a, "Take a node and its links away.")
        .def(
            "scale_weight", [](Overlay& o, index_t l, double f) { o.scale_weight({l}, f); }, "link"_a, "factor"_a,
            "Multiply the weight of a link (again: multiplies again).")
        .def(
            "restore_link", [](Overlay& o, index_t l) { o.restore_link({l}); }, "link"_a,
            "Undo fail_link; the multiplier stays.")
        .def(
            "restore_node", [](Overlay& o, index_t n) { o.restore_node({n}); }, "node"_a, "Undo fail_node.")
        .def("copy", [](const Overlay& o) { return o; }, "An independent overlay of the same graph.");

    graph
        .def(py::init([](index_t nodes, const Ints& tail, const Ints& head, const Reals& weight) {
                 return std::make_shared<Graph>(nodes, vector_in(tail, "tail"), vector_in(head, "head"),
                                                vector_in(weight, "weight"));
             }),
             "n_nodes"_a, "tail"_a.noconvert(), "head"_a.noconvert(), "weight"_a.noconvert())
        .def_property_readonly("node_count", &Graph::node_count)
        .def_property_readonly("link_count", &Graph::link_count)
        .def(
            "tails", [](const Graph& g) { return widen(g.tails()); }, "Tail node of every link.")
        .def(
            "heads", [](const Graph& g) { return widen(g.heads()); }, "Head node of every link.")
        .def(
            "weights", [](const Graph& g) { return fresh(g.weights()); }, "Weight of every link.")
        .def(
            "shortest_paths",
            [](const Graph& g, index_t source, const Overlay* overlay) {
                auto distance = empty<double>(g.node_count());
                auto via = empty<index_t>(g.node_count());
                shortest_paths(g, over(g, overlay), {source}, out(distance), out(via));
                return py::make_tuple(distance, via);
            },
            "source"_a, "overlay"_a = py::none(), "Distances from a node and the last link on the way (-1: none).")
        .def(
            "k_shortest",
            [](const std::shared_ptr<Graph>& g, index_t src, index_t dst, index_t k, const Overlay* overlay) {
                return lists_of(k_shortest(g, over(*g, overlay), {src}, {dst}, k));
            },
            "src"_a, "dst"_a, "k"_a, "overlay"_a = py::none(), "The k shortest loopless paths, as link ids in order.")
        .def(
            "ecmp_loads",
            [](const Graph& g, const Ints& src, const Ints& dst, const Reals& volume, const Overlay* overlay,
               bool by_hops, double tolerance) {
                Routed routed = route(g, src, dst, volume, overlay, by_hops, tolerance);
                require_delivered(routed, src, dst);
                return routed.load;
            },
            "src"_a.noconvert(), "dst"_a.noconvert(), "volume"_a.noconvert(), "overlay"_a = py::none(),
            "by_hops"_a = true, "tolerance"_a = 1e-12, "Load of every link; a demand without a way is an error.")
        .def(
            "ecmp_loads_and_lost",
            [](const Graph& g, const Ints& src, const Ints& dst, const Reals& volume, const Overlay* overlay,
               bool by_hops, double tolerance) {
                Routed routed = route(g, src, dst, volume, overlay, by_hops, tolerance);
                return py::make_tuple(routed.load, routed.lost);
            },
            "src"_a.noconvert(), "dst"_a.noconvert(), "volume"_a.noconvert(), "overlay"_a = py::none(),
            "by_hops"_a = true, "tolerance"_a = 1e-12, "Load of every link, and what each demand could not send.")
        .def(
            "components",
            [](const Graph& g, const Overlay* overlay) {
                auto label = empty<index_t>(g.node_count());
                const index_t count = components(g, over(g, overlay), out(label));
                return py::make_tuple(count, label);
            },
            "overlay"_a = py::none(), "Number of connected components and the one of every node (-1: failed).")
        .def(
            "partition",
            [](const Graph& g, index_t k, const Reals& weight, std::uint64_t seed) {
                auto group = empty<index_t>(g.node_count());
                partition(g, k, vector_in(weight, "node_weight"), seed, out(group));
                return group;
            },
            "k"_a, "node_weight"_a.noconvert(), "seed"_a, "Connected groups 0..k-1 of about equal weight.");
}

}  // namespace tiertwin::bindings
