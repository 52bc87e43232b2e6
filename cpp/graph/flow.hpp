// Maximum flow between two nodes over links of given capacity, and a minimum cut that proves it.
//
//   maximise value  subject to  0 <= flow[l] <= capacity[l], what enters a node leaves it (source and target excepted)
//   min cut: source side S with  sum of capacity over links S -> not S  =  value          (Ford and Fulkerson 1956)
//
// Dinic (1970): levels towards the target by breadth, then a blocking flow by depth. The cut is the one nearest to the
// target: S is everything from which the target cannot be reached any more.
//
// Requires       capacities finite and >= 0 (any unit), one a link. An overlay takes links and nodes away; its
//                multipliers are of weights and are not read.
// Returns        flow a link, net of what would only run in circles over a link and its way back; exact for whole
//                numbers, else to rounding.
// Thread safety  pure function; an overlay must not change meanwhile.
// Costs          O(nodes^2 links) at worst, far less on networks: 3 ms on a plane mesh of 10^4 nodes; about 40 bytes
//                a link and 20 a node meanwhile.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "graph/overlay.hpp"

namespace tiertwin {

struct MaxFlow {
    double value = 0.0;
    std::vector<double> flow;               // by link
    std::vector<std::uint8_t> source_side;  // by node; nodes that are down stand on neither side (0)
    std::vector<LinkId> cut;                // the links that lead out of the source side, ascending
};

[[nodiscard]] MaxFlow max_flow(const Graph& graph, const Overlay* overlay, NodeId source, NodeId target,
                               std::span<const double> capacity);

}  // namespace tiertwin
