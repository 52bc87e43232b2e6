// A shortest-path tree towards one node, grown as far as needed and reused for the next root: the workspace of ECMP and
// of the k shortest paths.
//
// A link u -> v is *tight* when it lies on a shortest way from u to the root: cost + distance(v) <= distance(u), up to
// the relative tolerance of the caller, and v was settled before u. The second half matters only for links of weight 0
// and makes the tight links a graph without cycles in every case.
//
// Thread safety  one thread owns it. Costs: 20 bytes a node, taken once; clearing costs what the last search touched.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "graph/search.hpp"

namespace tiertwin {

template <typename Queue, typename Cost>
class Tree {
  public:
    Tree(const Graph& graph, Cost cost)
        : graph_(graph),
          cost_(cost),
          distance_(static_cast<std::size_t>(graph.node_count()), kUnreachable),
          via_(distance_.size(), -1),
          rank_(distance_.size(), -1) {}

    // Settle nodes towards `root` until `enough(node)` is true for one just settled. The root itself must be up.
    template <typename Enough>
    void grow(NodeId root, Enough&& enough) {
        clear();
        const auto rows = [this](NodeId node) { return graph_.in_arcs(node); };
        settle_from(root, rows, cost_, std::span(distance_), std::span(via_), queue_, [&](NodeId node) {
            rank_[at(node)] = static_cast<std::int32_t>(order_.size());
            order_.push_back(node);
            return !enough(node);
        });
    }

    [[nodiscard]] bool settled(NodeId node) const { return rank_[at(node)] >= 0; }
    [[nodiscard]] std::span<const NodeId> order() const { return order_; }  // nearest first, the root at the front

    // Requires a settled `node`.
    [[nodiscard]] bool tight(NodeId node, const Arc& out, double tolerance) const {
        const auto v = static_cast<std::size_t>(out.head);
        if (rank_[v] < 0 || rank_[v] >= rank_[at(node)]) return false;
        return cost_(out) + distance_[v] <= distance_[at(node)] * (1.0 + tolerance);
    }

  private:
    static std::size_t at(NodeId node) { return static_cast<std::size_t>(node.value); }

    void clear() {
        const auto forget = [this](std::size_t v) {
            distance_[v] = kUnreachable;
            via_[v] = -1;
            rank_[v] = -1;
        };
        for (const NodeId node : order_) forget(at(node));
        for (const QueueItem& item : queue_.rest()) forget(static_cast<std::size_t>(item.node));
        order_.clear();
        queue_.clear();
    }

    const Graph& graph_;
    Cost cost_;
    std::vector<double> distance_;
    std::vector<std::int32_t> via_;
    std::vector<std::int32_t> rank_;  // position in the order of settling; -1 not settled
    std::vector<NodeId> order_;
    Queue queue_;
};

}  // namespace tiertwin
