#include "graph/repair.hpp"

#include <algorithm>

#include "base/index.hpp"

namespace tiertwin {

RepairedPaths::RepairedPaths(std::shared_ptr<const Graph> graph, const Overlay* overlay, NodeId source)
    : graph_(std::move(graph)),
      source_(source),
      distance_(at(graph_->node_count()), kUnreachable),
      via_(distance_.size(), -1),
      touched_(distance_.size(), 0) {
    graph_->require(source, "source");
    const auto rows = [this](NodeId node) { return graph_->out_arcs(node); };
    const auto all = [](NodeId) { return true; };
    if (overlay == nullptr)
        settle_from(source, rows, WeightCost{}, std::span(distance_), std::span(via_), heap_, all);
    else if (overlay->has(source))
        settle_from(source, rows, Cost{*overlay}, std::span(distance_), std::span(via_), heap_, all);
}

Arc RepairedPaths::arc_of(index_t link) const {
    return {graph_->weights()[at(link)], graph_->heads()[at(link)], static_cast<std::int32_t>(link)};
}

void RepairedPaths::touch(std::int32_t node) {
    if (touched_[at(node)]) return;
    touched_[at(node)] = 1;
    touched_nodes_.push_back({node, distance_[at(node)]});
}

void RepairedPaths::lose(std::int32_t node) {
    if (distance_[at(node)] == kUnreachable) return;
    touch(node);
    distance_[at(node)] = kUnreachable;
    via_[at(node)] = -1;
    lost_.push_back(node);
}

// Whatever hangs below a lost node is lost too.
void RepairedPaths::lose_below() {
    for (std::size_t i = 0; i < lost_.size(); ++i)
        for (const Arc& arc : graph_->out_arcs({lost_[i]}))
            if (via_[at(arc.head)] == arc.link) lose(arc.head);
}

// The best way into a node over neighbours as they stand.
void RepairedPaths::offer(std::int32_t node, const Overlay& overlay, const Cost& cost) {
    double best = distance_[at(node)];
    if (node == static_cast<std::int32_t>(source_.value) && overlay.has(source_) && best > 0) {
        touch(node);
        distance_[at(node)] = 0.0;
        via_[at(node)] = -1;
        heap_.push({0.0, node});
        return;
    }
    for (const Arc& in : graph_->in_arcs({node}))
        if (const double reach = distance_[at(in.head)] + cost(Arc{in.weight, node, in.link}); reach < best) {
            best = reach;
            via_[at(node)] = in.link;
        }
    if (best == distance_[at(node)]) return;
    touch(node);
    distance_[at(node)] = best;
    heap_.push({best, node});
}

// The rule of `shortest_paths`: the lowest link among those on a shortest way whose tail is strictly nearer.
void RepairedPaths::choose_link(std::int32_t node, const Cost& cost) {
    const double here = distance_[at(node)];
    if (here == kUnreachable || node == static_cast<std::int32_t>(source_.value)) return;
    for (const Arc& in : graph_->in_arcs({node})) {
        const double there = distance_[at(in.head)];
        if (there < here && there + cost(Arc{in.weight, node, in.link}) == here) {
            via_[at(node)] = in.link;
            return;
        }
    }
}

// A link whose cost rose takes the node behind it away, with all below.
void RepairedPaths::lose_what_rose(std::span<const index_t> links, const Cost& cost) {
    for (const index_t link : links) {
        const Arc arc = arc_of(link);
        if (via_[at(arc.head)] != arc.link) continue;
        const double tail = distance_[at(graph_->tails()[at(link)])];
        if (tail + cost(arc) > distance_[at(arc.head)]) lose(arc.head);
    }
}

// As `settle_queued`, but what it changes is noted.
void RepairedPaths::search(const Cost& cost) {
    while (!heap_.empty()) {
        const QueueItem item = heap_.pop();
        if (item.key > distance_[at(item.node)]) continue;
        for (const Arc& arc : graph_->out_arcs({item.node})) {
            const double reach = item.key + cost(arc);
            if (!(reach < distance_[at(arc.head)])) continue;
            touch(arc.head);
            distance_[at(arc.head)] = reach;
            via_[at(arc.head)] = arc.link;
            heap_.push({reach, arc.head});
        }
    }
}

index_t RepairedPaths::settle_ties(const Cost& cost) {
    index_t changed = 0;
    const std::size_t moved = touched_nodes_.size();
    for (std::size_t i = 0; i < moved; ++i) {
        const Before before = touched_nodes_[i];
        if (distance_[at(before.node)] == before.distance) continue;
        ++changed;
        for (const Arc& out : graph_->out_arcs({before.node})) touch(out.head);
    }
    for (const Before& before : touched_nodes_) {
        choose_link(before.node, cost);
        touched_[at(before.node)] = 0;
    }
    touched_nodes_.clear();
    return changed;
}

index_t RepairedPaths::update(const Overlay& overlay, std::span<const index_t> links, std::span<const index_t> nodes) {
    for (const index_t link : links) graph_->require(LinkId{link});
    for (const index_t node : nodes) graph_->require(NodeId{node}, "node");
    const Cost cost{overlay};
    lost_.clear();
    for (const index_t node : nodes)
        if (!overlay.has(NodeId{node})) lose(static_cast<std::int32_t>(node));
    lose_what_rose(links, cost);
    lose_below();
    for (const std::int32_t node : lost_) offer(node, overlay, cost);
    for (const index_t node : nodes) offer(static_cast<std::int32_t>(node), overlay, cost);
    for (const index_t link : links) {
        touch(arc_of(link).head);
        offer(arc_of(link).head, overlay, cost);
    }
    search(cost);
    return settle_ties(cost);
}

}  // namespace tiertwin
