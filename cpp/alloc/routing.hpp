// Least utilisation of the fullest resource over given paths: the face of the routing kernel.
//
// Few resources decide; the others are far from full whatever the split. So, from an even split (or a given one):
//
//   1  critical = the resources that are fullest now
//   2  reduce the problem to these (routing_reduce.hpp), solve it by an interior-point method (routing_solver.hpp)
//   3  expand the split, judge it on all resources; bound by the prices found (both independent of the iteration)
//   4  stop when certified; else the resources this split overfills become critical too, and again
//
// The set only grows, so it ends; at worst it is the whole problem.
//
// Thread safety  pure function.
// Returns        the best split and the best prices seen, whatever the limit (iterations of step 2 in total).
// Cost           per round O(options + entries), and the interior point on what is left: a few thousand groups of
//                a few hundred thousand demands are usual. 2-6 rounds.
#pragma once

#include <span>
#include <vector>

#include "alloc/routing_problem.hpp"

namespace tiertwin::alloc {

struct RoutingAnswer {
    std::vector<double> share, price, load;  // [K], [R] with sum c l = 1, [R]
    RoutingWorth worth;
    double bound = 0.0;
    index_t iterations = 0, rounds = 0, critical = 0, groups = 0;  // the last two of the last round
};

// `start` [K] or empty: an earlier split, made feasible first.
[[nodiscard]] RoutingAnswer route(const RoutingProblem& problem, std::span<const double> start, index_t iteration_limit,
                                  double tolerance);

}  // namespace tiertwin::alloc
