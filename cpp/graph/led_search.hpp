// The best way from a node to a target, led by lower bounds, over what a mask leaves: the search under Yen's paths.
//
//   bound(v) <= distance from v to the target, whatever the mask takes away        (A*: settle by reach + bound)
//
// Distances are sums from the beginning of the whole path, `start` included, so that "equally short" means the same
// here and there. Of equally short ways the one with the lowest link ids in sequence is taken (where links of weight 0
// make rings, the lowest that leads on).
//
// Requires       bounds right to a relative `slack`.
// Thread safety  one thread owns it. Costs: 20 bytes a node, taken once; a search clears nothing.
#pragma once

#include <algorithm>
#include <vector>

#include "graph/labels.hpp"

namespace tiertwin {

template <typename Cost>
class LedSearch {
  public:
    LedSearch(const Graph& graph, Cost cost, double slack)
        : graph_(graph), cost_(cost), slack_(slack), reach_(graph.node_count()), level_(graph.node_count()) {}

    // Appends the links from `spur` to `target` to `path`; false if there is no way. `free(node)` and `open(link)` say
    // what the mask leaves (the spur itself is asked, too, and is not free).
    template <typename Bound, typename Free, typename Open>
    bool extend(NodeId spur, double start, NodeId target, const Bound& bound, const Free& free, const Open& open,
                std::vector<LinkId>& path) {
        const auto from = static_cast<std::int32_t>(spur.value), to = static_cast<std::int32_t>(target.value);
        if (!reach_all_ties(from, start, to, bound, free, open)) return false;
        mark_back(from, to, free, open);
        for (std::int32_t node = from; node != to;) {
            const Arc arc = next(node, from, open);
            path.push_back({arc.link});
            node = arc.head;
        }
        return true;
    }

  private:
    template <typename Bound, typename Free, typename Open>
    bool reach_all_ties(std::int32_t from, double start, std::int32_t to, const Bound& bound, const Free& free,
                        const Open& open) {
        reach_.clear();
        heap_.clear();
        reach_.set(from, start, -1);
        heap_.push({start + bound(from), from});
        while (!heap_.empty()) {
            const QueueItem item = heap_.pop();
            if (item.key > reach_.distance(to) * (1.0 + slack_)) break;
            const double here = reach_.distance(item.node);
            if (item.key > here + bound(item.node) || item.node == to) continue;  // improved since it was pushed
            for (const Arc& arc : graph_.out_arcs({item.node})) {
                const double reach = here + cost_(arc);
                if (!(reach < reach_.distance(arc.head)) || !free(arc.head)) continue;
                if (item.node == from && !open(arc.link)) continue;
                const double key = reach + bound(arc.head);
                if (key == kUnreachable) continue;
                reach_.set(arc.head, reach, arc.link);
                heap_.push({key, arc.head});
            }
        }
        return reach_.distance(to) != kUnreachable;
    }

    // A link of some shortest way.
    [[nodiscard]] bool tight(std::int32_t tail, const Arc& arc) const {
        return reach_.distance(tail) + cost_(arc) == reach_.distance(arc.head);
    }

    // Levels: links to the target over tight links, breadth first, at every node that has such a way.
    template <typename Free, typename Open>
    void mark_back(std::int32_t from, std::int32_t to, const Free& free, const Open& open) {
        level_.clear();
        level_.set(to, 0.0, -1);
        order_.assign(1, to);
        for (std::size_t i = 0; i < order_.size(); ++i) {
            const std::int32_t node = order_[i];
            for (const Arc& in : graph_.in_arcs({node})) {
                if (level_.distance(in.head) != kUnreachable || reach_.distance(in.head) == kUnreachable) continue;
                if (!tight(in.head, Arc{in.weight, node, in.link})) continue;
                if (in.head == from ? !open(in.link) : !free(in.head)) continue;
                level_.set(in.head, level_.distance(node) + 1.0, -1);
                order_.push_back(in.head);
            }
        }
    }

    template <typename Open>
    [[nodiscard]] Arc next(std::int32_t node, std::int32_t from, const Open& open) const {
        const auto arcs = graph_.out_arcs({node});
        return *std::ranges::find_if(arcs, [&](const Arc& arc) {
            if (level_.distance(arc.head) == kUnreachable || !tight(node, arc)) return false;
            if (node == from && !open(arc.link)) return false;
            return reach_.distance(arc.head) > reach_.distance(node) ||
                   level_.distance(arc.head) < level_.distance(node);
        });
    }

    const Graph& graph_;
    Cost cost_;
    double slack_;
    Labels reach_, level_;
    Heap4 heap_;
    std::vector<std::int32_t> order_;
};

}  // namespace tiertwin
