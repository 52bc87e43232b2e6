#include "graph/folding.hpp"

#include <algorithm>
#include <ranges>
#include <utility>

#include "base/index.hpp"
#include "graph/peel.hpp"
#include "graph/search.hpp"

namespace tiertwin {
namespace {

// Cost of a link into a node, by their numbers in the graph.
struct PlainCost {
    double operator()(std::int32_t, double weight, std::int32_t) const { return weight; }
};
struct ThroughOverlay {
    const Overlay& overlay;
    double operator()(std::int32_t head, double weight, std::int32_t link) const {
        return OverlaidCost<WeightCost>{overlay}(Arc{weight, head, link});
    }
};

}  // namespace

Folding::Folding(std::shared_ptr<const Graph> graph) : graph_(std::move(graph)) {
    const Graph& g = *graph_;
    const auto each = [&g](std::int32_t node, auto&& visit) {
        for (const auto arcs : {g.out_arcs({node}), g.in_arcs({node})})
            for (const Arc& arc : arcs) visit(arc.head);
    };
    Peeled peeled = peel(g.node_count(), each, [](std::int32_t) { return false; });
    into_ = std::move(peeled.into);
    number_core();
    copy_core();
    hung_.reserve(peeled.order.size());
    for (const std::int32_t node : std::views::reverse(peeled.order))
        for (const Arc& in : g.in_arcs({node}))
            if (in.head == into_[at(node)]) hung_.push_back({in.weight, node, in.head, in.link});
}

// Breadth first, directions ignored.
void Folding::number_core() {
    core_of_.assign(into_.size(), -1);
    const auto meet = [this](std::int32_t node) {
        if (into_[at(node)] >= 0 || core_of_[at(node)] >= 0) return;
        core_of_[at(node)] = static_cast<std::int32_t>(node_of_.size());
        node_of_.push_back(node);
    };
    std::size_t open = 0;
    for (std::size_t start = 0; start < into_.size(); ++start)
        for (meet(static_cast<std::int32_t>(start)); open < node_of_.size(); ++open)
            for (const auto arcs : {graph_->out_arcs({node_of_[open]}), graph_->in_arcs({node_of_[open]})})
                for (const Arc& arc : arcs) meet(arc.head);
}

void Folding::copy_core() {
    first_.push_back(0);
    for (const std::int32_t node : node_of_) {
        for (const Arc& arc : graph_->out_arcs({node}))
            if (const std::int32_t head = core_of_[at(arc.head)]; head >= 0)
                arcs_.push_back({arc.weight, head, arc.link});
        first_.push_back(static_cast<std::int32_t>(arcs_.size()));
    }
}

void Folding::shortest_paths(const Overlay* overlay, NodeId source, std::span<double> distance,
                             std::span<index_t> via_link) const {
    graph_->require(source, "source");
    std::ranges::fill(distance, kUnreachable);
    std::ranges::fill(via_link, -1);
    if (overlay == nullptr)
        run(PlainCost{}, source, distance, via_link);
    else if (overlay->has(source))
        run(ThroughOverlay{*overlay}, source, distance, via_link);
}

template <typename Cost>
Folding::Climb Folding::climb(const Cost& cost, NodeId source, std::span<double> distance,
                              std::span<index_t> via_link) const {
    auto node = static_cast<std::int32_t>(source.value);
    double reach = 0.0;
    distance[at(node)] = 0.0;
    while (into_[at(node)] >= 0) {
        const std::int32_t above = into_[at(node)];
        double best = kUnreachable;
        for (const Arc& out : graph_->out_arcs({node}))
            if (out.head == above)
                if (const double there = reach + cost(above, out.weight, out.link); there < best) {
                    best = there;
                    via_link[at(above)] = out.link;
                }
        if (best == kUnreachable) return {-1, best};
        distance[at(above)] = reach = best;
        node = above;
    }
    return {core_of_[at(node)], reach};
}

template <typename Cost>
void Folding::run(const Cost& cost, NodeId source, std::span<double> distance, std::span<index_t> via_link) const {
    if (const Climb start = climb(cost, source, distance, via_link); start.core >= 0) {
        std::vector<double> core(node_of_.size(), kUnreachable);
        std::vector<std::int32_t> via(node_of_.size(), -1);
        via[at(start.core)] = static_cast<std::int32_t>(via_link[at(node_of_[at(start.core)])]);
        core[at(start.core)] = start.reach;
        HeapOf4<NearerKey> heap;
        heap.push({start.reach, start.core});
        const auto rows = [this](NodeId node) {
            const auto u = at(node.value);
            return std::span(arcs_).subspan(at(first_[u]), at(first_[u + 1] - first_[u]));
        };
        const auto core_cost = [&](const Arc& arc) { return cost(node_of_[at(arc.head)], arc.weight, arc.link); };
        settle_queued(rows, core_cost, std::span(core), std::span(via), heap, [](NodeId) { return true; });
        for (std::size_t i = 0; i < core.size(); ++i) {
            distance[at(node_of_[i])] = core[i];
            via_link[at(node_of_[i])] = via[i];
        }
    }
    for (const Hung& down : hung_) {
        const double above = distance[at(down.above)];
        double& here = distance[at(down.node)];
        if (const double reach = above + cost(down.node, down.weight, down.link); reach < here) {
            here = reach;
            via_link[at(down.node)] = down.link;
        }
    }
}

}  // namespace tiertwin
