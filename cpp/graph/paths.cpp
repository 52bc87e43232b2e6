#include "graph/paths.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "graph/tree.hpp"

namespace tiertwin {

void shortest_paths(const Graph& graph, const Overlay* overlay, NodeId source, std::span<double> distance,
                    std::span<index_t> via_link) {
    graph.require(source, "source");
    std::ranges::fill(distance, kUnreachable);
    std::ranges::fill(via_link, -1);
    Heap4 heap;
    const auto rows = [&graph](NodeId node) { return graph.out_arcs(node); };
    const auto all = [](NodeId) { return true; };
    if (overlay == nullptr)
        settle_from(source, rows, WeightCost{}, distance, via_link, heap, all);
    else if (overlay->has(source))
        settle_from(source, rows, OverlaidCost<WeightCost>{*overlay}, distance, via_link, heap, all);
}

namespace {

// A path and where it left the path it was found from.
struct Candidate {
    double length;
    std::vector<LinkId> links;
    std::size_t deviation;
    auto key() const { return std::tie(length, links); }
    bool operator<(const Candidate& other) const { return key() < other.key(); }
};

// Yen's algorithm over a private overlay, on which links and nodes of the root path are taken away and given back.
class Yen {
  public:
    Yen(const std::shared_ptr<const Graph>& graph, const Overlay* overlay, NodeId target)
        : graph_(*graph),
          mask_(overlay == nullptr ? Overlay(graph) : *overlay),
          tree_(graph_, OverlaidCost<WeightCost>{mask_}),
          target_(target) {}

    std::vector<std::vector<LinkId>> first(NodeId source, std::size_t k) {
        if (k == 0 || source == target_ || !mask_.has(source) || !mask_.has(target_)) return {};
        deviate(source, {}, 0);
        while (!candidates_.empty()) {
            Candidate best = std::move(candidates_.extract(candidates_.begin()).value());
            found_.push_back(best.links);
            if (found_.size() == k) break;
            branch(source, best);
        }
        return std::move(found_);
    }

  private:
    // Every path that shares best.links[0 .. i) and leaves it at i >= best.deviation on a link not used there before.
    void branch(NodeId source, const Candidate& best) {
        std::vector<NodeId> blocked;
        NodeId spur = source;
        for (std::size_t i = 0; i < best.links.size(); ++i) {
            if (i >= best.deviation) {
                const std::vector<LinkId> banned = ban_continuations(best.links, i);
                deviate(spur, std::span(best.links).first(i), i);
                for (const LinkId link : banned) mask_.restore_link(link);
            }
            mask_.fail_node(spur);
            blocked.push_back(spur);
            spur = graph_.head(best.links[i]);
        }
        for (const NodeId node : blocked) mask_.restore_node(node);
    }

    // Takes away the next link of every found path that starts like `links` up to i; returns what it took.
    std::vector<LinkId> ban_continuations(const std::vector<LinkId>& links, std::size_t i) {
        std::vector<LinkId> banned;
        for (const auto& path : found_) {
            if (path.size() <= i ||
                !std::equal(links.begin(), links.begin() + static_cast<std::ptrdiff_t>(i), path.begin()))
                continue;
            if (!mask_.has(path[i])) continue;
            mask_.fail_link(path[i]);
            banned.push_back(path[i]);
        }
        return banned;
    }

    // The best way from `spur` to the target as the mask stands, put behind `root`. Walking down the tree by the lowest
    // tight link makes it the first of the equally short ones.
    void deviate(NodeId spur, std::span<const LinkId> root, std::size_t deviation) {
        tree_.grow(target_, [spur](NodeId node) { return node == spur; });
        if (!tree_.settled(spur)) return;
        Candidate next{0.0, {root.begin(), root.end()}, deviation};
        for (NodeId node = spur; node != target_;) {
            const auto arcs = graph_.out_arcs(node);
            const auto arc = std::ranges::find_if(arcs, [&](const Arc& a) { return tree_.tight(node, a, 0.0); });
            next.links.push_back({arc->link});
            node = {arc->head};
        }
        for (const LinkId link : next.links) next.length += graph_.weight(link) * mask_.factor(link);
        candidates_.insert(std::move(next));
    }

    const Graph& graph_;
    Overlay mask_;
    Tree<Heap4, OverlaidCost<WeightCost>> tree_;
    NodeId target_;
    std::set<Candidate> candidates_;
    std::vector<std::vector<LinkId>> found_;
};

}  // namespace

std::vector<std::vector<LinkId>> k_shortest(const std::shared_ptr<const Graph>& graph, const Overlay* overlay,
                                            NodeId source, NodeId target, index_t k) {
    graph->require(source, "source");
    graph->require(target, "target");
    if (k < 0) throw InvalidArgument("k is " + std::to_string(k) + "; expected at least 0");
    return Yen(graph, overlay, target).first(source, static_cast<std::size_t>(k));
}

}  // namespace tiertwin
