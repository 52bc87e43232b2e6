#include "graph/between.hpp"

#include <algorithm>

namespace tiertwin {
namespace {

// What an arc of `in_arcs(node)` costs: its own node is asked, not the far one.
template <typename Cost>
double into(const Cost& cost, std::int32_t node, const Arc& in) {
    return cost(Arc{in.weight, node, in.link});
}

}  // namespace

PathFinder::PathFinder(std::shared_ptr<const Graph> graph)
    : graph_(std::move(graph)),
      from_source_{Labels(graph_->node_count()), {}},
      from_target_{Labels(graph_->node_count()), {}} {}

PathFound PathFinder::shortest_path(const Overlay* overlay, NodeId source, NodeId target) {
    graph_->require(source, "source");
    graph_->require(target, "target");
    if (overlay == nullptr) return between(WeightCost{}, source, target);
    if (!overlay->has(source) || !overlay->has(target)) return {kUnreachable, {}};
    return between(OverlaidCost<WeightCost>{*overlay}, source, target);
}

template <typename Rows, typename Cost>
void PathFinder::step(Side& here, const Side& there, const Rows& rows, const Cost& cost, Meeting& best) {
    const QueueItem item = here.heap.pop();
    if (item.key > here.labels.distance(item.node)) return;
    const double beyond = there.heap.empty() ? 0.0 : there.heap.rest().front().key;
    for (const Arc& arc : rows(NodeId{item.node})) {
        const double reach = item.key + cost(item.node, arc);
        if (!(reach < here.labels.distance(arc.head))) continue;
        const double whole = reach + there.labels.distance(arc.head);
        if (whole < best.length) best = {whole, arc.head};
        // A node the other side has not settled is at least as far from its end as the nearest one in its queue.
        if (reach + beyond >= best.length && whole > best.length) continue;
        here.labels.set(arc.head, reach, arc.link);
        here.heap.push({reach, arc.head});
    }
}

template <typename Cost>
PathFound PathFinder::between(const Cost& cost, NodeId source, NodeId target) {
    if (source == target) return {0.0, {}};
    const auto start = [](Side& side, NodeId root) {
        side.labels.clear();
        side.heap.clear();
        side.labels.set(static_cast<std::int32_t>(root.value), 0.0, -1);
        side.heap.push({0.0, static_cast<std::int32_t>(root.value)});
    };
    start(from_source_, source);
    start(from_target_, target);
    const auto out = [this](NodeId node) { return graph_->out_arcs(node); };
    const auto in = [this](NodeId node) { return graph_->in_arcs(node); };
    const auto out_cost = [&](std::int32_t, const Arc& arc) { return cost(arc); };
    const auto in_cost = [&](std::int32_t node, const Arc& arc) { return into(cost, node, arc); };
    // Upstream nodes may be down: `into` asks the near end only.
    Meeting best;
    while (!from_source_.heap.empty() && !from_target_.heap.empty()) {
        const double forward = from_source_.heap.rest().front().key, backward = from_target_.heap.rest().front().key;
        if (forward + backward >= best.length) break;
        if (forward <= backward)
            step(from_source_, from_target_, out, out_cost, best);
        else
            step(from_target_, from_source_, in, in_cost, best);
    }
    if (best.node < 0) return {kUnreachable, {}};
    PathFound found{0.0, links(source, target, best.node)};
    for (const LinkId link : found.links) {
        const Arc arc{graph_->weight(link), static_cast<std::int32_t>(graph_->head(link).value),
                      static_cast<std::int32_t>(link.value)};
        found.length += cost(arc);
    }
    return found;
}

std::vector<LinkId> PathFinder::links(NodeId source, NodeId target, std::int32_t meeting) const {
    std::vector<LinkId> path;
    for (NodeId node{meeting}; node != source;) {
        const LinkId link{from_source_.labels.via(static_cast<std::int32_t>(node.value))};
        path.push_back(link);
        node = graph_->tail(link);
    }
    std::ranges::reverse(path);
    for (NodeId node{meeting}; node != target;) {
        const LinkId link{from_target_.labels.via(static_cast<std::int32_t>(node.value))};
        path.push_back(link);
        node = graph_->head(link);
    }
    return path;
}

}  // namespace tiertwin
