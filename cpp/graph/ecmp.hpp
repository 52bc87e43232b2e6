// Link loads under equal-cost multi-path routing.
//
//   For every destination t the links that lie on some shortest way to t make a graph without cycles. Traffic for t
//   that reaches a node leaves it in equal parts over all its tight links:
//       flow_t(u) = demand(u, t) + sum_{tight v -> u} flow_t(v) / tight_out(v)       load(l) = sum_t flow_t(tail) /
//       tight_out(tail)
//
// Parallel links are next hops of their own. As every router decides by itself, the split is per next hop, not per
// path. Source: RFC 2991, RFC 2992 (the idealised even split of OSPF and IS-IS).
//
// Thread safety  pure function; an overlay must not change meanwhile.
// Costs          one search (stopped at the farthest source) and one sweep a destination.
#pragma once

#include <span>

#include "graph/overlay.hpp"

namespace tiertwin {

struct Demands {
    std::span<const index_t> source, target;
    std::span<const double> volume;  // any unit of rate, >= 0
};

struct EcmpOptions {
    bool by_hops = true;     // shortest in links; else by weight
    double tolerance = 0.0;  // ways longer by at most this relative amount at a node count as equal (weights only)
};

// Adds nothing to what is in `load` (one entry a link, same unit as volume): it is set. lost[d] = volume[d] of demands
// that have no way, else 0. A demand from a node to itself uses no link. Throws InvalidArgument naming the first bad
// demand.
void ecmp_loads(const Graph& graph, const Overlay* overlay, const Demands& demands, const EcmpOptions& options,
                std::span<double> load, std::span<double> lost);

}  // namespace tiertwin
