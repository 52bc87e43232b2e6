// Interior-point method for the split of demands over options that keeps the fullest row as empty as can be.
//
//   minimise t   subject  base_r + sum_k a_kr f_k + s_r = t,   sum of f_k over the options of u = 1,   f, s >= 0
//
// with a already in shares of capacity. Prices l of the rows (sum 1), q of the demands, z of f:
//
//   l.a_k - q_u - z_k = 0,    f z = s l = mu -> 0
//
// The start (even split, l in proportion to 1/s) holds all linear equations and is centred in the rows; steps keep
// them. Users are eliminated as in fair_solver.hpp, then t by one more solve of the same matrix. Mehrotra (1992).
//
// Thread safety  one thread owns a solver; no memory between solves.
// Cost           an iteration O(options + entries + sum_u n_u^2) and one factorisation of the rows; 8-20 are usual.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "alloc/routing_matrix.hpp"

namespace tiertwin::alloc {

struct Split {
    std::vector<double> share, price;  // [K]; [R] of rows in shares of capacity, sum 1
    double most = 0.0, least = 0.0;    // t of this split, and the bound of these prices (of the reduced problem)
    index_t iterations = 0;
};

// Where to begin: shares [K] that sum to 1 a user, prices [R] in shares of capacity. Empty: cold.
struct SplitStart {
    std::span<const double> share, price;
};

// How well to solve: to `loose` first; there `enough` is asked with the best shares and bound so far, and if it says
// false, on to `tight`. `stop` (may be empty) is asked before every iteration.
struct SplitGoal {
    double loose, tight;
    std::function<bool(std::span<const double> share, double least)> enough;
    std::function<bool()> stop;
    index_t iteration_limit;
};

// Minimises over `options` whose `use` are shares of capacity, every user with demand 1. Stops when most <= (1 + goal)
// least, at the limit, or when no step gets further. The best split and the best prices seen.
[[nodiscard]] Split split_evenly(const Options& options, std::span<const double> base, const SplitStart& start,
                                 const SplitGoal& goal);

}  // namespace tiertwin::alloc
