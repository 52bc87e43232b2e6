// Traffic engineering over given paths: the data of one instance, its checker and its bound.
//
//   minimise   t = max_r load_r / c_r,   load_r = sum_k use_kr d_u(k) f_k
//   subject    sum of f_k over the options of u = 1 for every demand d_u > 0,   f >= 0
//
// A resource without capacity closes the options that use it; one of infinite capacity limits nothing. The largest
// concurrent flow of the same instance is 1/t: every demand times 1/t can be carried.
//
//   bound  for any prices l >= 0 with sum_r c_r l_r = 1:   t >= sum_u d_u min_k l.use_k
//
// Proof: t = sum_r c_r l_r t >= sum_r l_r load_r = sum_k d f_k (l.use_k) >= the right-hand side. Prices are scaled to
// sum to 1 here, so any will do; the bound is rounded down by a few units in the last place, and shares no code with
// the solver.
//
// Thread safety  immutable after construction; the functions are pure.
// Requires       demands finite and >= 0, capacities >= 0, an open option for every demand > 0 (InvalidArgument).
// Cost           O(options + entries) each.
#pragma once

#include <span>
#include <vector>

#include "alloc/evaluate.hpp"
#include "alloc/options.hpp"

namespace tiertwin::alloc {

struct RoutingProblem {
    RoutingProblem(const Options& options, std::span<const double> demand, std::span<const double> capacity);

    const Options& options;
    std::vector<double> demand, capacity;
    std::vector<char> open;  // [K]

    // Share of resource r that entry e takes when the whole demand of user u goes there.
    [[nodiscard]] double filled(std::size_t u, std::size_t e) const {
        return options.use[e] * demand[u] / capacity[options.resource[e]];
    }
};

struct RoutingWorth {
    double utilisation = 0.0;  // t
    double violation = 0.0;    // largest |sum f - 1| or -f
    Fault fault = Fault::none;
    index_t index = -1;  // of the option or user after `fault`
};

// The independent checker. `load` [R] is written.
[[nodiscard]] RoutingWorth evaluate(const RoutingProblem& problem, std::span<const double> share,
                                    std::span<double> load);
[[nodiscard]] double price_bound(const RoutingProblem& problem, std::span<const double> price);
// Makes any numbers a split: clipped at 0, scaled to sum to 1; even where nothing is left. Users without demand: 0.
void fit(const RoutingProblem& problem, std::span<double> share);

}  // namespace tiertwin::alloc
