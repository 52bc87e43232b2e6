// One shortest path between two nodes, searched from both ends at once.
//
// Requires       two nodes of the graph, an overlay null or over this very graph.
// Returns        the links of a path of least length (of several, always the same one), and its length summed from the
//                source: to rounding that of `shortest_paths`, exactly so for whole numbers. Infinite and no links
//                where there is no way; 0 and no links from a node to itself.
// Costs          two balls of about half the length instead of one of the whole; no allocation once warm.
// Thread safety  one thread owns a `PathFinder` (32 bytes a node of the graph); the graph is shared.
#pragma once

#include <memory>
#include <vector>

#include "graph/two_sided.hpp"

namespace tiertwin {

struct PathFound {
    double length;
    std::vector<LinkId> links;
};

class PathFinder {
  public:
    explicit PathFinder(std::shared_ptr<const Graph> graph) : graph_(std::move(graph)), search_(*graph_) {}

    [[nodiscard]] const std::shared_ptr<const Graph>& graph() const { return graph_; }
    [[nodiscard]] PathFound shortest_path(const Overlay* overlay, NodeId source, NodeId target);

  private:
    template <typename Cost>
    PathFound between(const Cost& cost, std::int32_t source, std::int32_t target);
    [[nodiscard]] std::vector<LinkId> links(std::int32_t source, std::int32_t target, std::int32_t meeting) const;

    std::shared_ptr<const Graph> graph_;
    TwoSided search_;
};

}  // namespace tiertwin
