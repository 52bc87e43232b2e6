// Quantile of a delay that is a packet's own time, one of three sizes, and a wait of Pearson's type III, by size.
//
//   P(delay > x) = sum_k weight_k P(wait_k > x - fixed - size_k per_byte);   solved by regula falsi (Illinois), to
//   1e-13
//
// For sizes with a largest value that is not rare: there a law through three moments of the whole does not look like
// it. Thread safety  pure.   Costs: 3 us.
#pragma once

#include <array>

#include "perf/sizes.hpp"

namespace tiertwin::perf {

struct SizedDelay {
    ThreePoint law;                      // bytes
    double fixed = 0, per_byte = 0;      // s, s a byte
    std::array<double, 3> mean{}, sd{};  // of the wait of each size; sd > 0
    double skew = 0;
};

// q in (0, 1); the answer is not below `least`.
[[nodiscard]] double mixed_quantile(double q, const SizedDelay& delay, double least);

}  // namespace tiertwin::perf
