#include "graph/disjoint.hpp"

#include <algorithm>
#include <string>
#include <tuple>

#include "base/error.hpp"
#include "base/index.hpp"
#include "graph/search.hpp"

namespace tiertwin {
namespace {

// A link as it may be used once, or given back. With node-disjoint paths a node v is two, 2v where links enter and
// 2v + 1 where they leave, joined by one such edge without cost.
struct Edge {
    std::int32_t tail, head;
    std::int32_t link;  // -1 inside a node
    bool used = false;
    double cost;
};

class Augmenting {
  public:
    Augmenting(const Graph& graph, const Overlay* overlay, NodeId source, NodeId target, bool by_nodes)
        : graph_(graph), by_nodes_(by_nodes), source_(out(source.value)), target_(in(target.value)) {
        const auto cost = [overlay](const Arc& arc) {
            return overlay == nullptr ? arc.weight : OverlaidCost<WeightCost>{*overlay}(arc);
        };
        for (index_t v = 0; by_nodes && v < graph.node_count(); ++v) edges_.push_back({in(v), out(v), -1, false, 0.0});
        for (std::size_t l = 0; l < graph.tails().size(); ++l) {
            const std::int32_t tail = graph.tails()[l], head = graph.heads()[l];
            const double weight = cost(Arc{graph.weights()[l], head, static_cast<std::int32_t>(l)});
            if (tail == head || weight == kUnreachable) continue;
            edges_.push_back({out(tail), in(head), static_cast<std::int32_t>(l), false, weight});
        }
        const std::size_t nodes = at(graph.node_count()) * (by_nodes ? 2 : 1);
        distance_.resize(nodes);
        via_.resize(nodes);
        price_.assign(nodes, 0.0);
        build_rows(nodes);
    }

    // One more path, by giving back links of the earlier ones where that pays; false if there is none.
    bool augment() {
        std::ranges::fill(distance_, kUnreachable);
        std::ranges::fill(via_, -1);
        search();
        const double whole = distance_[at(target_)];
        if (whole == kUnreachable) return false;
        for (std::size_t v = 0; v < price_.size(); ++v) price_[v] += std::min(distance_[v], whole);
        for (std::int32_t node = target_; node != source_;) {
            Edge& edge = edges_[at(via_[at(node)])];
            node = edge.used ? edge.head : edge.tail;
            edge.used = !edge.used;
        }
        return true;
    }

    // The used links as paths, without whatever rings they make.
    std::vector<std::vector<LinkId>> paths(std::size_t count) {
        std::vector<std::vector<LinkId>> all;
        for (std::size_t p = 0; p < count; ++p) all.push_back(trace());
        const auto length = [this](const std::vector<LinkId>& path) {
            double sum = 0.0;
            for (const LinkId link : path) sum += cost_of_[at(link.value)];
            return sum;
        };
        cost_of_.assign(at(graph_.link_count()), 0.0);
        for (const Edge& edge : edges_)
            if (edge.link >= 0) cost_of_[at(edge.link)] = edge.cost;
        std::ranges::sort(all, [&](const auto& a, const auto& b) {
            const double first = length(a), second = length(b);
            return std::tie(first, a) < std::tie(second, b);
        });
        return all;
    }

  private:
    [[nodiscard]] std::int32_t in(index_t v) const { return static_cast<std::int32_t>(by_nodes_ ? 2 * v : v); }
    [[nodiscard]] std::int32_t out(index_t v) const { return static_cast<std::int32_t>(by_nodes_ ? 2 * v + 1 : v); }

    void build_rows(std::size_t nodes) {
        first_.assign(nodes + 1, 0);
        for (const Edge& edge : edges_) {
            ++first_[at(edge.tail) + 1];
            ++first_[at(edge.head) + 1];
        }
        for (std::size_t u = 1; u < first_.size(); ++u) first_[u] += first_[u - 1];
        row_.resize(2 * edges_.size());
        std::vector<std::int32_t> slot(first_.begin(), first_.end() - 1);
        for (std::size_t e = 0; e < edges_.size(); ++e)
            for (const std::int32_t node : {edges_[e].tail, edges_[e].head})
                row_[at(slot[at(node)]++)] = static_cast<std::int32_t>(e);
    }

    // Dijkstra over costs + price[tail] - price[head], which are >= 0 but for rounding.
    void search() {
        queue_.clear();
        distance_[at(source_)] = 0.0;
        queue_.push({0.0, source_});
        while (!queue_.empty()) {
            const QueueItem item = queue_.pop();
            if (item.key > distance_[at(item.node)]) continue;
            if (item.node == target_) return;
            for (std::int32_t i = first_[at(item.node)]; i < first_[at(item.node) + 1]; ++i) {
                const Edge& edge = edges_[at(row_[at(i)])];
                const bool back = edge.used;
                if ((back ? edge.head : edge.tail) != item.node) continue;
                const std::int32_t other = back ? edge.tail : edge.head;
                const double cost = (back ? -edge.cost : edge.cost) + price_[at(item.node)] - price_[at(other)];
                const double reach = item.key + std::max(0.0, cost);
                if (!(reach < distance_[at(other)])) continue;
                distance_[at(other)] = reach;
                via_[at(other)] = row_[at(i)];
                queue_.push({reach, other});
            }
        }
    }

    // Follows used edges from the source, the lowest first, and takes them out; a ring on the way is left out.
    std::vector<LinkId> trace() {
        std::vector<std::int32_t> way;  // edges
        std::int32_t node = source_;
        while (node != target_) {
            std::int32_t i = first_[at(node)];
            while (!edges_[at(row_[at(i)])].used || edges_[at(row_[at(i)])].tail != node) ++i;
            Edge& edge = edges_[at(row_[at(i)])];
            edge.used = false;
            way.push_back(row_[at(i)]);
            node = edge.head;
            const auto ring = std::ranges::find_if(way, [&](std::int32_t e) { return edges_[at(e)].tail == node; });
            way.erase(ring, way.end());
        }
        std::vector<LinkId> links;
        for (const std::int32_t e : way)
            if (edges_[at(e)].link >= 0) links.push_back({edges_[at(e)].link});
        return links;
    }

    const Graph& graph_;
    bool by_nodes_;
    std::int32_t source_, target_;
    std::vector<Edge> edges_;
    std::vector<std::int32_t> first_, row_;  // edges at each node, both ends
    std::vector<double> distance_, price_, cost_of_;
    std::vector<std::int32_t> via_;
    Heap4 queue_;
};

}  // namespace

std::vector<std::vector<LinkId>> disjoint_paths(const Graph& graph, const Overlay* overlay, NodeId source,
                                                NodeId target, index_t k, bool by_nodes) {
    graph.require(source, "source");
    graph.require(target, "target");
    if (k < 0) throw InvalidArgument("k is " + std::to_string(k) + "; expected at least 0");
    const bool down = overlay != nullptr && (!overlay->has(source) || !overlay->has(target));
    if (source == target || down || k == 0) return {};
    Augmenting flow(graph, overlay, source, target, by_nodes);
    index_t count = 0;
    while (count < k && flow.augment()) ++count;
    return flow.paths(static_cast<std::size_t>(count));
}

}  // namespace tiertwin
