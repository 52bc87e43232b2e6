// Where each sensor of a machine stands and is going, at every cycle of its run: levels, slope, and how it began.
//
//   of a run x(1..n), at cycle c, for each sensor:
//   level_k   Σ_{i<=c} w_i x(i) / Σ w_i,  w_i = exp(-(c - i)/tau_k)                        one a time constant
//   slope     of the least-squares line through the last min(c, window) cycles, x window    0 at c = 1
//   begin     mean of the first min(c, first) cycles
//
// Only cycles up to c have a part, so the rows of a whole run are what an observer would have had at each cycle.
//
// Range     finite values; tau > 0, window >= 2, first >= 1; runs not empty, in `ptr` as in CSR. InvalidArgument.
// Costs     O(taus + window) a value.   Thread: pure.
#pragma once

#include <span>
#include <vector>

#include "base/types.hpp"

namespace tiertwin::forecast {

struct TrendOptions {
    std::vector<double> taus;
    index_t window = 30, first = 20;
};

// values [cycles][sensors], ptr [runs + 1]; out [cycles][sensors × (taus + 2)]: all levels of tau 1, of tau 2, …,
// slopes, beginnings.
void trends(std::span<const double> values, index_t sensors, std::span<const index_t> ptr, const TrendOptions& options,
            std::span<double> out);

// The non-decreasing sequence nearest to `values` in weighted squares (pool adjacent violators), in place.
// Source: R. E. Barlow et al., Statistical Inference under Order Restrictions (1972). O(n). Weights > 0.
// `least`: going up, a pool takes in its next value while it weighs less (ours); the last one may stay lighter.
void isotonic(std::span<double> values, std::span<const double> weights, double least = 0.0);

}  // namespace tiertwin::forecast
