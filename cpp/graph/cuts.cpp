#include "graph/cuts.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "base/error.hpp"
#include "base/index.hpp"
#include "base/infinity.hpp"
#include "graph/low_link.hpp"

namespace tiertwin {
namespace {

void search(const Cables& cables, const Overlay* overlay, std::vector<std::int32_t> roots, LowLink& tree) {
    for (std::int32_t& root : roots) root = cables.place(root);
    if (overlay == nullptr) {
        tree.search(roots, [](const Cables::End&) { return true; }, [](std::int32_t) { return true; });
        return;
    }
    const std::vector<std::uint8_t> down = cables.down(overlay);
    const auto alive = [&](std::int32_t place) { return overlay->has(NodeId{cables.node_at(place)}); };
    tree.search(roots, [&](const Cables::End& end) { return !down[at(end.cable)] && alive(end.head); }, alive);
}

// `columns` is a number known to the compiler where that pays (1 and 2), so that its loops vanish.
template <typename Columns>
void sum_up(const Cables& cables, std::span<const LowLink::Place> places, Columns columns,
            std::span<const double> weight, const Losses& lost) {
    const auto node = [&](std::size_t position) { return at(cables.node_at(places[position].node)); };
    const std::size_t width = columns;
    const auto total = std::make_unique_for_overwrite<double[]>(places.size() * width);
    for (std::size_t i = 0; i < places.size(); ++i)
        for (std::size_t c = 0; c < width; ++c) total[i * width + c] = weight[node(i) * width + c];
    sum_subtrees(places, width, std::span(total.get(), places.size() * width),
                 [&](std::int32_t parent, std::span<const double> sums) {
                     const std::size_t first = node(at(parent)) * width;
                     for (std::size_t c = 0; c < width; ++c) lost.by_node[first + c] += sums[c];
                 });
    for (std::size_t i = 0; i < places.size(); ++i) {
        if (places[i].parent < 0 || at(places[i].low) != i) continue;
        for (std::size_t c = 0; c < width; ++c) lost.by_cable[at(places[i].cable) * width + c] = total[i * width + c];
    }
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
    LowLink tree(cables.rows(), cables.ends());
    search(cables, overlay, checked_roots(*cables.graph(), roots), tree);

    const std::size_t columns = at(weights.columns);
    std::ranges::fill(lost.by_cable, 0.0);
    std::ranges::fill(lost.already, 0.0);
    std::ranges::copy(weights.value, lost.by_node.begin());  // a node that fails is lost itself
    if (static_cast<index_t>(tree.places().size()) < cables.node_count())
        for (std::int32_t node = 0; node < cables.node_count(); ++node)
            for (std::size_t c = 0; c < columns && !tree.has(cables.place(node)); ++c)
                lost.already[c] += std::exchange(lost.by_node[at(node) * columns + c], 0.0);
    if (columns == 1)
        sum_up(cables, tree.places(), std::integral_constant<std::size_t, 1>{}, weights.value, lost);
    else if (columns == 2)
        sum_up(cables, tree.places(), std::integral_constant<std::size_t, 2>{}, weights.value, lost);
    else
        sum_up(cables, tree.places(), columns, weights.value, lost);
}

}  // namespace tiertwin
