#include "graph/ecmp.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/index.hpp"
#include "graph/tree.hpp"

namespace tiertwin {
namespace {

void check(const Graph& graph, const Demands& demands, double tolerance) {
    const std::size_t count = demands.source.size();
    if (demands.target.size() != count || demands.volume.size() != count)
        throw InvalidArgument("expected one source, target and volume a demand, got " + std::to_string(count) +
                              " sources, " + std::to_string(demands.target.size()) + " targets and " +
                              std::to_string(demands.volume.size()) + " volumes");
    const auto known = [&graph](index_t node) { return node >= 0 && node < graph.node_count(); };
    for (std::size_t d = 0; d < count; ++d) {
        const double volume = demands.volume[d];
        if (known(demands.source[d]) && known(demands.target[d]) && volume >= 0 && volume < kUnreachable) continue;
        const std::string name = "demand " + std::to_string(d);
        graph.require(NodeId{demands.source[d]}, (name + ": source").c_str());
        graph.require(NodeId{demands.target[d]}, (name + ": target").c_str());
        throw InvalidArgument(name + " has volume " + std::to_string(volume) + "; expected a finite volume >= 0");
    }
    if (!(tolerance >= 0 && tolerance < 1))
        throw InvalidArgument("tolerance is " + std::to_string(tolerance) + "; expected a relative one, 0 <= it < 1");
}

// Demand numbers by target, in their own order within a target.
std::vector<std::size_t> by_target(const Demands& demands) {
    std::vector<std::size_t> order(demands.target.size());
    for (std::size_t d = 0; d < order.size(); ++d) order[d] = d;
    std::ranges::stable_sort(order, {}, [&](std::size_t d) { return demands.target[d]; });
    return order;
}

template <typename Queue, typename Cost>
class Router {
  public:
    Router(const Graph& graph, Cost cost, double tolerance, std::span<double> load)
        : graph_(graph),
          tree_(graph, cost),
          tolerance_(tolerance),
          load_(load),
          flow_(static_cast<std::size_t>(graph.node_count()), 0.0),
          waiting_(flow_.size(), 0) {}

    // All demands of one target.
    void route(NodeId target, const Demands& demands, std::span<const std::size_t> which, std::span<double> lost) {
        index_t sources = 0;
        for (const std::size_t d : which) {
            auto& waits = waiting_[at(demands.source[d])];
            sources += waits == 0;
            waits = 1;
        }
        tree_.grow(target, [&](NodeId node) {
            sources -= waiting_[at(node.value)];
            return sources == 0;
        });
        for (const std::size_t d : which) {
            waiting_[at(demands.source[d])] = 0;
            if (tree_.settled(NodeId{demands.source[d]}))
                flow_[at(demands.source[d])] += demands.volume[d];
            else
                lost[d] = demands.volume[d];
        }
        spill(target);
    }

  private:
    // Farthest first: a node is split when everything that flows through it has arrived.
    void spill(NodeId target) {
        const auto order = tree_.order();
        for (std::size_t i = order.size(); i-- > 0;) {
            const NodeId node = order[i];
            const double flow = std::exchange(flow_[at(node.value)], 0.0);
            if (flow == 0.0 || node == target) continue;
            const auto arcs = graph_.out_arcs(node);
            tight_.clear();
            for (const Arc& arc : arcs)
                if (tree_.tight(node, arc, tolerance_)) tight_.push_back(arc);
            const double share = flow / static_cast<double>(tight_.size());
            for (const Arc& arc : tight_) {
                load_[at(arc.link)] += share;
                flow_[at(arc.head)] += share;
            }
        }
    }

    const Graph& graph_;
    Tree<Queue, Cost> tree_;
    double tolerance_;
    std::span<double> load_;
    std::vector<double> flow_;
    std::vector<std::uint8_t> waiting_;  // sources of the target at hand that are not settled yet
    std::vector<Arc> tight_;
};

template <typename Queue, typename Cost>
void route_all(const Graph& graph, const Overlay* overlay, Cost cost, const Demands& demands, double tolerance,
               std::span<double> load, std::span<double> lost) {
    Router<Queue, Cost> router(graph, cost, tolerance, load);
    const std::vector<std::size_t> order = by_target(demands);
    for (std::size_t i = 0; i < order.size();) {
        const index_t target = demands.target[order[i]];
        std::size_t end = i;
        while (end < order.size() && demands.target[order[end]] == target) ++end;
        const auto which = std::span(order).subspan(i, end - i);
        if (overlay == nullptr || overlay->has(NodeId{target}))
            router.route(NodeId{target}, demands, which, lost);
        else
            for (const std::size_t d : which) lost[d] = demands.volume[d];
        i = end;
    }
}

}  // namespace

void ecmp_loads(const Graph& graph, const Overlay* overlay, const Demands& demands, const EcmpOptions& options,
                std::span<double> load, std::span<double> lost) {
    check(graph, demands, options.tolerance);
    std::ranges::fill(load, 0.0);
    std::ranges::fill(lost, 0.0);
    const auto run = [&]<typename Queue>(Queue, auto cost) {
        route_all<Queue>(graph, overlay, cost, demands, options.by_hops ? 0.0 : options.tolerance, load, lost);
    };
    if (options.by_hops) {
        if (overlay == nullptr)
            run(Fifo{}, HopCost{});
        else
            run(Fifo{}, OverlaidCost<HopCost>{*overlay});
    } else if (overlay == nullptr) {
        run(Heap4{}, WeightCost{});
    } else {
        run(Heap4{}, OverlaidCost<WeightCost>{*overlay});
    }
}

}  // namespace tiertwin
