// Every pair of causes of one part that may matter.
#pragma once

#include "localise/mass.hpp"

namespace tiertwin::localise {

// Adds each pair whose bound is within `cutoff` of `reference`; pairs with the likeliest causes come first.
//
//   score({j, k}) <= min(gain_j + gain_k, plain_j + plain_k + sum_i -f(l_i))
//
// Costs    the alarms of k a pair. Returns false where `work` of them were not enough for all.
[[nodiscard]] bool add_pairs(const Part& part, const Members& order, double reference, double cutoff, double work,
                             Mass& mass);

}  // namespace tiertwin::localise
