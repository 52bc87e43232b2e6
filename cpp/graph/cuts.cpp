#include "graph/cuts.hpp"

#include <algorithm>
#include <limits>
#include <string>

#include "base/error.hpp"
#include "graph/low_link.hpp"

namespace tiertwin {
namespace {

std::size_t at(index_t i) { return static_cast<std::size_t>(i); }

void search(const Cables& cables, const Overlay* overlay, std::span<const std::int32_t> roots, LowLink& tree) {
    const auto rows = [&cables](std::int32_t node) { return cables.ends(node); };
    if (overlay == nullptr) {
        tree.search(roots, rows, [](const Cables::End&) { return true; }, [](std::int32_t) { return true; });
        return;
    }
    const std::vector<std::uint8_t> down = cables.down(overlay);
    const auto alive = [overlay](std::int32_t node) { return overlay->has(NodeId{node}); };
    tree.search(roots, rows, [&](const Cables::End& end) { return !down[at(end.cable)] && alive(end.head); }, alive);
}

}  // namespace

std::vector<std::int32_t> checked_roots(const Graph& graph, std::span<const index_t> roots) {
    if (roots.empty()) throw InvalidArgument("no roots: name at least one node that the others need to reach");
    std::vector<std::int32_t> checked;
    for (const index_t root : roots) {
        graph.require(NodeId{root}, "root");
        checked.push_back(static_cast<std::int32_t>(root));
    }
    std::ranges::sort(checked);
    const auto rest = std::ranges::unique(checked);
    checked.erase(rest.begin(), rest.end());
    return checked;
}

void require_weights(const Graph& graph, const NodeWeights& weights) {
    if (weights.value.size() != at(graph.node_count()) * at(weights.columns))
        throw InvalidArgument("expected weights of shape [" + std::to_string(graph.node_count()) +
                              " nodes, columns], got " + std::to_string(weights.value.size()) + " numbers in " +
                              std::to_string(weights.columns) + " columns");
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    const auto bad =
        std::ranges::find_if_not(weights.value, [](double weight) { return weight >= 0 && weight < kInfinity; });
    if (bad == weights.value.end()) return;
    const auto place = static_cast<index_t>(bad - weights.value.begin());
    throw InvalidArgument("node " + std::to_string(place / weights.columns) + " has weight " + std::to_string(*bad) +
                          " in column " + std::to_string(place % weights.columns) + "; expected finite weights >= 0");
}

void single_failures(const Cables& cables, const Overlay* overlay, std::span<const index_t> roots,
                     const NodeWeights& weights, const Losses& lost) {
    require_weights(*cables.graph(), weights);
    LowLink tree(cables.node_count());
    search(cables, overlay, checked_roots(*cables.graph(), roots), tree);

    const std::size_t columns = at(weights.columns), reached = at(tree.reached());
    std::vector<double> total(reached * columns), cut(reached * columns);
    for (std::size_t i = 0; i < reached; ++i)
        for (std::size_t c = 0; c < columns; ++c)
            total[i * columns + c] = weights.value[at(tree.node[i]) * columns + c];
    sum_subtrees(tree, columns, total, cut);

    std::ranges::fill(lost.by_cable, 0.0);
    std::ranges::fill(lost.by_node, 0.0);
    std::ranges::fill(lost.already, 0.0);
    for (std::size_t i = 0; i < reached; ++i) {
        const std::size_t node = at(tree.node[i]) * columns;
        for (std::size_t c = 0; c < columns; ++c)
            lost.by_node[node + c] = weights.value[node + c] + cut[i * columns + c];
        if (tree.parent[i] < 0 || tree.low[i] != static_cast<std::int32_t>(i)) continue;
        for (std::size_t c = 0; c < columns; ++c)
            lost.by_cable[at(tree.cable[i]) * columns + c] = total[i * columns + c];
    }
    if (static_cast<index_t>(reached) == cables.node_count()) return;
    for (std::int32_t node = 0; node < cables.node_count(); ++node)
        if (!tree.has(node))
            for (std::size_t c = 0; c < columns; ++c) lost.already[c] += weights.value[at(node) * columns + c];
}

}  // namespace tiertwin
