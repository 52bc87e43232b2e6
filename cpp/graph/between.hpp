// One shortest path between two nodes, searched from both ends at once.
//
//   stop when  nearest forward + nearest backward >= the best way found        (Pohl 1971)
//
// Requires       two nodes of the graph, an overlay null or over this very graph.
// Returns        the links of a path of least length (of several, always the same one), and its length summed from the
//                source: to rounding that of `shortest_paths`, exactly so for whole numbers. Infinite and no links
//                where there is no way; 0 and no links from a node to itself.
// Costs          two balls of about half the length instead of one of the whole; no allocation once warm.
// Thread safety  one thread owns a `PathFinder` (40 bytes a node of the graph); the graph is shared.
#pragma once

#include <memory>
#include <vector>

#include "graph/labels.hpp"

namespace tiertwin {

struct PathFound {
    double length;
    std::vector<LinkId> links;
};

class PathFinder {
  public:
    explicit PathFinder(std::shared_ptr<const Graph> graph);

    [[nodiscard]] const std::shared_ptr<const Graph>& graph() const { return graph_; }
    [[nodiscard]] PathFound shortest_path(const Overlay* overlay, NodeId source, NodeId target);

  private:
    struct Side {
        Labels labels;
        Heap4 heap;
    };
    struct Meeting {
        double length = kUnreachable;
        std::int32_t node = -1;
    };

    template <typename Cost>
    PathFound between(const Cost& cost, NodeId source, NodeId target);
    // Settles the nearest node of one side. `tails`: rows hold tails (incoming arcs).
    template <typename Rows, typename Cost>
    void step(Side& here, const Side& there, const Rows& rows, const Cost& cost, Meeting& best);
    [[nodiscard]] std::vector<LinkId> links(NodeId source, NodeId target, std::int32_t meeting) const;

    std::shared_ptr<const Graph> graph_;
    Side from_source_, from_target_;
};

}  // namespace tiertwin
