#include "graph/paths.hpp"

#include <algorithm>

#include "graph/search.hpp"

namespace tiertwin {

void shortest_paths(const Graph& graph, const Overlay* overlay, NodeId source, std::span<double> distance,
                    std::span<index_t> via_link) {
    graph.require(source, "source");
    std::ranges::fill(distance, kUnreachable);
    std::ranges::fill(via_link, -1);
    Heap4 heap;
    const auto rows = [&graph](NodeId node) { return graph.out_arcs(node); };
    const auto all = [](NodeId) { return true; };
    if (overlay == nullptr)
        settle_from(source, rows, WeightCost{}, distance, via_link, heap, all);
    else if (overlay->has(source))
        settle_from(source, rows, OverlaidCost<WeightCost>{*overlay}, distance, via_link, heap, all);
}

}  // namespace tiertwin
