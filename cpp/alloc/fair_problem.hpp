// Shared capacity among users with options, fairly: the data of one instance, its checker and its bound.
//
//   maximise   sum_u w_u U(y_u; a_u) - sum_k cost_k x_k,    y_u = sum of x_k over the options of u
//   subject    y_u <= d_u,   sum_k use_kr x_k <= c_r,   x >= 0
//   U(y; 1) = log y,   U(y; a) = (y^(1-a) - 1)/(1-a);       a = 0 is weighted throughput, a = 1 proportionally fair
//
// An option over a resource without capacity is closed. What a user could get at most, D_u = min(d_u, sum over its open
// options of min_r c_r / use_kr), stands in for its demand: it cuts nothing off and makes endless demands finite. A
// user counts when w_u > 0 and D_u > 0; others get nothing and are no part of the value (log 0).
//
//   bound      for any prices l >= 0:  sum_r l_r c_r + sum_u max_{0<=y<=D_u} [ w_u U(y) - y min_k (cost_k + l.use_k) ]
//   scale      S = sum_u w_u y_u^(1-a_u): what serving everybody 100 % more is worth at the margin; gaps are divided by
//   it violation  largest excess over a bound, relative to that bound
//
// Proof of the bound: relax the capacities at l; a user then takes its cheapest option (weak duality). It is rounded up
// by a few units in the last place of its terms, shares no code with the solver, and holds for any prices whatever.
//
// Thread safety  immutable after construction; the functions are pure.
// Requires       weights, exponents, costs finite and >= 0; demands and capacities >= 0, infinity meaning no limit;
//                some limit on every user that counts (InvalidArgument, with the index).
// Cost           O(users + options + entries) each.
#pragma once

#include <span>
#include <vector>

#include "alloc/evaluate.hpp"
#include "alloc/options.hpp"

namespace tiertwin::alloc {

struct FairArrays {
    std::span<const double> demand, weight, alpha, capacity;
    std::span<const double> cost;  // empty: options are free
};

struct FairProblem {
    FairProblem(const Options& options, const FairArrays& arrays);

    const Options& options;
    std::vector<double> demand, weight, alpha, capacity, cost;
    std::vector<char> open;    // [K]
    std::vector<double> most;  // [U] D_u; 0 for users that do not count

    [[nodiscard]] double cost_of(std::size_t k) const { return cost.empty() ? 0.0 : cost[k]; }
};

struct FairWorth {
    double value = 0.0;
    double scale = 0.0;
    double violation = 0.0;
    Fault fault = Fault::none;
    index_t index = -1;  // of the option, user or resource after `fault`
};

// The independent checker. `load` [R] is written.
[[nodiscard]] FairWorth evaluate(const FairProblem& problem, std::span<const double> x, std::span<double> load);
// Prices below 0 and prices of resources without a limit count as 0.
[[nodiscard]] double price_bound(const FairProblem& problem, std::span<const double> price);
// Makes any numbers a feasible plan: clip, scale users down to their demand, then options by their fullest resource.
void fit(const FairProblem& problem, std::span<double> x);

}  // namespace tiertwin::alloc
