// k paths between two nodes that share no link, or no node on the way, with the least total weight.
//
//   minimise  sum over paths and their links of weight[l]   subject to  no two paths share a link (a node)
//
// Shortest augmenting paths over what earlier paths left and may give back (Suurballe 1974; Bhandari 1999), with node
// prices that keep every cost >= 0 (Edmonds and Karp 1972). Links of weight > 0 never run both ways over one pair of
// nodes: link-disjoint paths are then disjoint in cables, too, where a cable is a link and its way back.
//
// Requires       k >= 0, two nodes of the graph.
// Returns        as many paths as there are, at most k, each without loops, by (length summed from the source, links);
//                of several answers of equal total always the same one. Totals are least to rounding.
// Thread safety  pure function; an overlay must not change meanwhile.
// Costs          k searches over 2 entries a link; O(nodes + links) to set up.
#pragma once

#include <memory>
#include <vector>

#include "graph/overlay.hpp"

namespace tiertwin {

[[nodiscard]] std::vector<std::vector<LinkId>> disjoint_paths(const Graph& graph, const Overlay* overlay, NodeId source,
                                                              NodeId target, index_t k, bool by_nodes);

}  // namespace tiertwin
