#include "graph/components.hpp"

#include <algorithm>
#include <vector>

namespace tiertwin {

index_t components(const Graph& graph, const Overlay* overlay, std::span<index_t> label) {
    const auto up = [overlay](auto id) { return overlay == nullptr || overlay->has(id); };
    std::ranges::fill(label, -1);
    std::vector<NodeId> open;
    index_t count = 0;
    for (index_t start = 0; start < graph.node_count(); ++start) {
        if (label[static_cast<std::size_t>(start)] >= 0 || !up(NodeId{start})) continue;
        const auto reach = [&](NodeId node) {
            if (index_t& mine = label[static_cast<std::size_t>(node.value)]; mine < 0 && up(node)) {
                mine = count;
                open.push_back(node);
            }
        };
        reach({start});
        while (!open.empty()) {
            const NodeId node = open.back();
            open.pop_back();
            for (const auto arcs : {graph.out_arcs(node), graph.in_arcs(node)})
                for (const Arc& arc : arcs)
                    if (up(LinkId{arc.link})) reach({arc.head});
        }
        ++count;
    }
    return count;
}

}  // namespace tiertwin
