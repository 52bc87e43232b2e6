#include "graph/between.hpp"

#include <algorithm>

namespace tiertwin {

PathFound PathFinder::shortest_path(const Overlay* overlay, NodeId source, NodeId target) {
    graph_->require(source, "source");
    graph_->require(target, "target");
    const auto from = static_cast<std::int32_t>(source.value), to = static_cast<std::int32_t>(target.value);
    if (overlay == nullptr) return between(WeightCost{}, from, to);
    if (!overlay->has(source) || !overlay->has(target)) return {kUnreachable, {}};
    return between(OverlaidCost<WeightCost>{*overlay}, from, to);
}

template <typename Cost>
PathFound PathFinder::between(const Cost& cost, std::int32_t source, std::int32_t target) {
    if (source == target) return {0.0, {}};
    const TwoSided::Meeting met = search_.meet(cost, source, target, 1.0);
    if (met.node < 0) return {kUnreachable, {}};
    PathFound found{0.0, links(source, target, met.node)};
    for (const LinkId link : found.links) {
        const Arc arc{graph_->weight(link), static_cast<std::int32_t>(graph_->head(link).value),
                      static_cast<std::int32_t>(link.value)};
        found.length += cost(arc);
    }
    return found;
}

std::vector<LinkId> PathFinder::links(std::int32_t source, std::int32_t target, std::int32_t meeting) const {
    std::vector<LinkId> path;
    for (std::int32_t node = meeting; node != source;) {
        const std::int32_t link = search_.via(TwoSided::kSource, node);
        path.push_back({link});
        node = graph_->tails()[static_cast<std::size_t>(link)];
    }
    std::ranges::reverse(path);
    for (std::int32_t node = meeting; node != target;) {
        const std::int32_t link = search_.via(TwoSided::kTarget, node);
        path.push_back({link});
        node = graph_->heads()[static_cast<std::size_t>(link)];
    }
    return path;
}

}  // namespace tiertwin
