// Shortest paths from one node, kept right while links and nodes fail, come back and change weight.
//
// After a change only what it touched is searched again (in the spirit of Ramalingam and Reps 1996):
//   1 lost      nodes whose way led through a link that costs more now, with all that hung below them, lose it
//   2 offers    each lost node takes the best offer of a neighbour that kept its distance; so does the head of every
//               link that costs less now
//   3 search    from these offers on, as Dijkstra
//   4 ties      where a distance or a link changed, the last link is chosen anew by the rule of `shortest_paths`
// Steps 1-3 leave distances d with d[head] = min(d[tail] + cost) over all links and a way that attains each: sums of
// floating-point numbers grow with their terms, so these are the distances a fresh search gives, bit for bit. Links of
// weight 0 may leave another of several equally short ways than a fresh search takes.
//
// Requires       `update` is told every link and node whose state changed since the last call (more does no harm).
// Costs          O(touched nodes and their links, times log); 13 bytes a node, and O(nodes + links) to begin with.
// Thread safety  one thread owns it; the overlay is read during calls only.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "graph/search.hpp"

namespace tiertwin {

class RepairedPaths {
  public:
    RepairedPaths(std::shared_ptr<const Graph> graph, const Overlay* overlay, NodeId source);

    // The overlay as it is now, and what changed in it. Returns how many nodes have another distance than before.
    index_t update(const Overlay& overlay, std::span<const index_t> links, std::span<const index_t> nodes);

    [[nodiscard]] const std::shared_ptr<const Graph>& graph() const { return graph_; }
    [[nodiscard]] NodeId source() const { return source_; }
    [[nodiscard]] std::span<const double> distance() const { return distance_; }
    [[nodiscard]] std::span<const std::int32_t> via_link() const { return via_; }

  private:
    using Cost = OverlaidCost<WeightCost>;
    void lose(std::int32_t node);
    void lose_below();
    void offer(std::int32_t node, const Overlay& overlay, const Cost& cost);
    void choose_link(std::int32_t node, const Cost& cost);
    void touch(std::int32_t node);
    index_t settle_ties(const Cost& cost);
    void lose_what_rose(std::span<const index_t> links, const Cost& cost);
    void search(const Cost& cost);
    [[nodiscard]] Arc arc_of(index_t link) const;

    std::shared_ptr<const Graph> graph_;
    NodeId source_;
    std::vector<double> distance_;
    std::vector<std::int32_t> via_;
    std::vector<std::uint8_t> touched_;
    struct Before {
        std::int32_t node;
        double distance;
    };
    std::vector<Before> touched_nodes_;  // with their distances before the update
    std::vector<std::int32_t> lost_;
    Heap4 heap_;
};

}  // namespace tiertwin
