// Dealing: the rates of a group become set-points of its devices, in proportion to their weights.
//
//   s_n = min(cap_n, theta_g weight_n)  with  sum_{n in g} s_n = sum_t x_gt        rate of device n
//   out_nt = s_n x_gt / sum_t x_gt                                                 every device has the group's mix
//
// Thread safety  pure function.
// Requires       group_of[n] in [0, G), weight >= 0, x >= 0 of [G,T], cap empty or >= 0. A group whose weights are all
// 0
//                is dealt evenly. InvalidArgument when a group with a rate has no device, or its caps hold less than
//                it.
// Returns        out [N,T]; per group and tier its sum equals x to 1e-9 (relative to the group's rate).
// Cost           O(N T), plus a sort of the devices of each group when caps are given.
#pragma once

#include <span>

#include "base/types.hpp"

namespace tiertwin::alloc {

void deal(std::span<const index_t> group_of, std::span<const double> weight, std::span<const double> x, index_t tiers,
          std::span<const double> cap, std::span<double> out);

}  // namespace tiertwin::alloc
