// Least utilisation of the fullest resource over given paths: the face of the routing kernel.
//
// Few resources decide; the others are far from full whatever the split. So, from an even split (or a given one):
//
//   1  sweeps level the loads and find prices (routing_spread.hpp), while they get on; often that is all
//   2  critical = the resources that are nearly as full as the fullest must be
//   3  reduce the problem to these and to the options in use or hardly dearer (routing_reduce.hpp), solve it by an
//      interior-point method (routing_solver.hpp)
//   4  expand the split, judge it on all resources; bound by the prices found, over all options (both independent of
//      the iteration)
//   5  stop when certified; else the resources this split overfills become critical too, or more options are offered
//
// Both sets only grow, so it ends; at worst it is the whole problem.
//
// Thread safety  pure function.
// Returns        the best split and the best prices seen, whatever the limit (iterations of step 3 in total) and
//                whenever `stop` says so.
// Cost           per sweep and per round O(options + entries), and the interior point on what is left: some ten
//                thousand groups of a few hundred thousand demands are usual. 3-6 sweeps, 0-4 rounds.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "alloc/routing_problem.hpp"

namespace tiertwin::alloc {

struct RoutingAnswer {
    std::vector<double> share, price, load;  // [K], [R] with sum c l = 1, [R]
    RoutingWorth worth;
    double bound = 0.0;
    index_t iterations = 0, rounds = 0, critical = 0, groups = 0;  // the last two of the last round
    index_t sweeps = 0;
};

// An earlier answer, to other data of the same structure: share [K] and price [R], either may be empty. The split is
// made feasible first.
struct RoutingStart {
    std::span<const double> share, price;
};

struct RoutingLimits {
    index_t iterations;
    double tolerance;
    std::function<bool()> stop;  // asked once a sweep and an iteration; empty: never
};

[[nodiscard]] RoutingAnswer route(const RoutingProblem& problem, const RoutingStart& start,
                                  const RoutingLimits& limits);

}  // namespace tiertwin::alloc
