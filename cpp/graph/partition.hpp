// Cut a connected network into k connected groups of about equal weight: the domains of the twins of a tier.
//
//   minimise  max_g W_g,   W_g = sum_{v in g} weight[v],   every group connected (directions ignored), none empty
//
// The problem is NP-hard; this is a heuristic in four steps, the best of several starts:
//   1 seeds        k nodes far apart by link weights (each next one the farthest from those before; Gonzalez 1985)
//   2 growth       the lightest group takes the free neighbour nearest to its seed, until none is free
//   3 balance      nodes at a border move to a lighter neighbouring group while that lowers sum_g W_g^2, the group they
//                  leave stays connected, and the two differ by more than 1 % of the mean
//   4 smoothing    nodes move to the group most of their links lead to, while all weights stay between the lightest and
//                  the heaviest group of step 3
// Of the starts whose heaviest group is within 5 % of the best, the one that cuts the fewest links is taken.
//
// No bound on the balance exists for all graphs (a star cannot be balanced at all); on meshes the heaviest group is
// typically within a few per cent of the mean plus one node.
//
// Requires       a connected graph, 1 <= k <= nodes, node weights finite and >= 0.
// Returns        group of every node, 0..k-1, numbered by the lowest node in each. A function of the arguments alone.
// Thread safety  pure function.
// Costs          O(starts * (links log nodes + moves * 500)); 16 starts up to 2000 nodes, 2 from 16 000 on. 0.3 ms at
//                50 nodes, 0.05 s at 10^3, 0.3 s at 10^4, some seconds at 10^5.
#pragma once

#include <cstdint>
#include <span>

#include "graph/graph.hpp"

namespace tiertwin {

void partition(const Graph& graph, index_t k, std::span<const double> node_weight, std::uint64_t seed,
               std::span<index_t> group);

}  // namespace tiertwin
