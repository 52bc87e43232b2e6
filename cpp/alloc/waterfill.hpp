// Water-filling: weighted max-min shares of link capacity.
//
//   maximise  min_i x_i / w_i   subject to   A x <= c,  x >= 0      (then the next smallest, and so on)
//
// All flows rise together, each at its weight, until a link is full; its flows stay there, the others go on (Bertsekas
// and Gallager, Data Networks, 6.5.2).
//
// Thread safety  pure function; safe from any thread on distinct outputs.
// Requires       capacity >= 0, weights > 0, one row of `uses` per flow, at least one link in each (InvalidArgument).
// Returns        rounds used; rates_mbps holds one share per flow. Links within `tolerance` (relative) of the fullest
// one
//                close in the same round.
// Cost           O(rounds x links + entries of A), rounds <= links.
#pragma once

#include <span>

#include "base/types.hpp"

namespace tiertwin::alloc {

// Links of each flow, one row after another: flow i crosses links[offsets[i]] .. links[offsets[i+1] - 1], each once.
struct Incidence {
    std::span<const index_t> offsets;  // [flows + 1]
    std::span<const index_t> links;
};

[[nodiscard]] index_t waterfill(std::span<const double> capacity_mbps, const Incidence& uses,
                                std::span<const double> weights, std::span<double> rates_mbps, double tolerance);

}  // namespace tiertwin::alloc
