// Shortest paths from one node, and the k shortest loopless paths between two.
//
//   distance[v] = min over paths P from the source to v of  sum_{l in P} weight[l]
//
// Thread safety  pure functions over an immutable graph; an overlay must not change meanwhile.
#pragma once

#include <span>
#include <vector>

#include "graph/overlay.hpp"

namespace tiertwin {

// Shortest distances, and the last link on the way to each node.
//
// Requires  a source of the graph; outputs of one entry a node; `overlay` null or over this very graph.
// Returns   distance in units of the weights, infinite where there is no way (and everywhere if the source has failed);
//           via_link -1 at the source and where there is no way, else the lowest link id among equally short ways (a
//           link of weight 0 only where no other link will do). Following via_link backwards ends at the source.
// Costs     O((nodes + links) log nodes): about 10 ms at 10^5 nodes and 4 x 10^5 links.
void shortest_paths(const Graph& graph, const Overlay* overlay, NodeId source, std::span<double> distance,
                    std::span<index_t> via_link);

// The k shortest loopless paths, each as its links in order.
//
// Yen (1971) with Lawler's rule (1972): a path found by deviating at position i is deviated from at i and later only.
// Paths come ordered by (length summed from the source, links compared as a sequence): of equally short ones the one
// with the lower link ids is first. Fewer than k where no more exist; none at all where there is no way, or where
// source and target are the same node (the empty path is not a route).
//
// A search from both ends bounds every deviation from below. A deviation is worked out only when its bound
// is the least of what waits; where the bound's own way is free and no other is as short to rounding, it is the answer,
// else a search from the spur is led by the same bounds (A*, Hart, Nilsson and Raphael 1968).
//
// Requires  k >= 0.
// Costs     one search from both ends, then little a path; O(k * hops) led searches at worst (many equally short ways).
[[nodiscard]] std::vector<std::vector<LinkId>> k_shortest(const std::shared_ptr<const Graph>& graph,
                                                          const Overlay* overlay, NodeId source, NodeId target,
                                                          index_t k);

}  // namespace tiertwin
