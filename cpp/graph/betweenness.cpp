#include "graph/betweenness.hpp"

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/index.hpp"
#include "graph/search.hpp"

namespace tiertwin {
namespace {

template <typename Cost>
class Brandes {
  public:
    Brandes(const Graph& graph, Cost cost, std::span<double> by_node, std::span<double> by_link)
        : graph_(graph),
          cost_(cost),
          by_node_(by_node),
          by_link_(by_link),
          distance_(by_node.size(), kUnreachable),
          via_(by_node.size(), -1),
          rank_(by_node.size(), -1),
          ways_(by_node.size(), 0.0),
          share_(by_node.size(), 0.0) {}

    void add(NodeId source) {
        const auto rows = [this](NodeId node) { return graph_.out_arcs(node); };
        settle_from(source, rows, cost_, std::span(distance_), std::span(via_), heap_, [this](NodeId node) {
            rank_[at(node.value)] = static_cast<std::int32_t>(order_.size());
            order_.push_back(node);
            return true;
        });
        ways_[at(source.value)] = 1.0;
        tight_.clear();
        first_.clear();
        for (const NodeId node : order_) count_ways(node);
        for (std::size_t i = order_.size(), end = tight_.size(); i-- > 0; end = first_[i]) {
            const auto v = at(order_[i].value);
            const double each = (1.0 + share_[v]) / ways_[v];
            for (std::size_t t = first_[i]; t < end; ++t) {
                const double part = ways_[at(tight_[t].tail)] * each;
                share_[at(tight_[t].tail)] += part;
                by_link_[at(tight_[t].link)] += part;
            }
            if (i > 0) by_node_[v] += share_[v];
        }
        forget();
    }

  private:
    struct Tight {
        std::int32_t tail, link;
    };

    // Notes the links on shortest ways into a node, and adds up the ways that end in them.
    void count_ways(NodeId node) {
        first_.push_back(tight_.size());
        const auto v = at(node.value);
        double ways = ways_[v];
        for (const Arc& in : graph_.in_arcs(node)) {
            const auto tail = at(in.head);
            if (distance_[tail] + cost_(Arc{in.weight, static_cast<std::int32_t>(node.value), in.link}) !=
                    distance_[v] ||
                rank_[tail] >= rank_[v] || rank_[tail] < 0)
                continue;
            ways += ways_[tail];
            tight_.push_back({in.head, in.link});
        }
        ways_[v] = ways;
    }

    void forget() {
        for (const NodeId node : order_) {
            const auto v = at(node.value);
            distance_[v] = kUnreachable;
            via_[v] = rank_[v] = -1;
            ways_[v] = share_[v] = 0.0;
        }
        order_.clear();
    }

    const Graph& graph_;
    Cost cost_;
    std::span<double> by_node_, by_link_;
    std::vector<double> distance_;
    std::vector<std::int32_t> via_, rank_;
    std::vector<double> ways_, share_;
    std::vector<NodeId> order_;
    std::vector<Tight> tight_;        // by node in order of settling
    std::vector<std::size_t> first_;  // by position in that order: where its links begin
    Heap4 heap_;
};

template <typename Cost>
void add_all(const Graph& graph, Cost cost, std::span<const index_t> sources, std::span<double> by_node,
             std::span<double> by_link) {
    Brandes<Cost> brandes(graph, cost, by_node, by_link);
    for (const index_t source : sources) brandes.add({source});
}

void check(const Graph& graph, std::span<const index_t> pivots) {
    std::vector<std::uint8_t> seen(at(graph.node_count()), 0);
    for (const index_t pivot : pivots) {
        graph.require(NodeId{pivot}, "pivot");
        if (seen[at(pivot)]++)
            throw InvalidArgument("node " + std::to_string(pivot) + " is a pivot twice; expected each node once");
    }
}

}  // namespace

void betweenness(const Graph& graph, const Overlay* overlay, std::span<const index_t> pivots, bool exact,
                 std::span<double> by_node, std::span<double> by_link) {
    const auto up = [overlay](index_t node) { return overlay == nullptr || overlay->has(NodeId{node}); };
    std::vector<index_t> nodes(at(graph.node_count()));
    std::iota(nodes.begin(), nodes.end(), index_t{0});
    std::erase_if(nodes, [&](index_t node) { return !up(node); });
    std::vector<index_t> sources(pivots.begin(), pivots.end());
    if (!exact) {
        check(graph, pivots);
        std::erase_if(sources, [&](index_t node) { return !up(node); });
    }
    std::ranges::fill(by_node, 0.0);
    std::ranges::fill(by_link, 0.0);
    const std::span<const index_t> from = exact ? nodes : sources;
    if (from.empty()) return;
    if (overlay == nullptr)
        add_all(graph, WeightCost{}, from, by_node, by_link);
    else
        add_all(graph, OverlaidCost<WeightCost>{*overlay}, from, by_node, by_link);
    if (exact) return;
    const double scale = static_cast<double>(nodes.size()) / static_cast<double>(from.size());
    for (double& value : by_node) value *= scale;
    for (double& value : by_link) value *= scale;
}

}  // namespace tiertwin
