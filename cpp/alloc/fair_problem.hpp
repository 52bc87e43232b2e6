// Shared capacity among users with options, fairly: the data of one instance, its checker and its bound.
//
//   maximise   sum_u w_u U(y_u; a_u) - sum_k cost_k x_k - sum_r D_r(load_r) - sum_s M_s max(0, f_s - Y_s)
//   subject    y_u <= d_u,   load_r <= c_r,   x >= 0
//   where      y_u = sum of x_k over the options of u,   load_r = sum_k use_kr x_k,   Y_s = sum of y_u over the users
//   of
//              floor s (a user has at most one)
//   U(y; 1) = log y,   U(y; a) = (y^(1-a) - 1)/(1-a);       a = 0 is weighted throughput, a = 1 proportionally fair
//   D(load)  = kappa load/(c - load), load <= 0.98 c, where kappa > 0 (formulas.hpp)
//
// An option over a resource without capacity is closed. What a user could get at most, D_u = min(d_u, sum over its open
// options of min_r c_r / use_kr), stands in for its demand: it cuts nothing off and makes endless demands finite. A
// user counts when D_u > 0 and w_u > 0 or a floor counts on it (f_s > 0, M_s > 0); others get nothing and are no part
// of the value (log 0).
//
//   bound      for any prices l >= 0 of resources and 0 <= pi_s <= M_s of floors:
//              sum_r max_{0<=load<=c_r} [ l_r load - D_r(load) ] + sum_u max_{0<=y<=D_u} [ w_u U(y) - y min_k (cost_k +
//              l.use_k - pi) ] - sum_s [ pi_s min(f_s, T_s) + M_s max(0, f_s - T_s) ],   T_s = sum of D_u over s
//   scale      S = sum_u w_u y_u^(1-a_u) + sum_s M_s (shortfall of s): what serving everybody 100 % more is worth at
//   the
//              margin, and what is paid for floors; sum_s M_s f_s where no user has a weight. Gaps are divided by it
//   violation  largest excess over a bound, relative to that bound. A floor that is not met is none: it has its price
//
// Proof of the bound: relax capacities at l and floors at pi; a user then takes its cheapest option (weak duality), and
// Y_s <= T_s always. It is rounded up by a few units in the last place of its terms, shares no code with the solver,
// and holds for any prices whatever.
//
// Thread safety  immutable after construction; the functions are pure.
// Requires       weights, exponents, costs, delays, floors, penalties finite and >= 0; demands and capacities >= 0,
//                infinity meaning no limit; some limit on every user that counts (InvalidArgument, with the index).
// Cost           O(users + options + entries) each.
#pragma once

#include <span>
#include <vector>

#include "alloc/evaluate.hpp"
#include "alloc/options.hpp"

namespace tiertwin::alloc {

struct FairArrays {
    std::span<const double> demand, weight, alpha, capacity;
    std::span<const double> cost = {};                 // empty: options are free
    std::span<const double> delay = {};                // [R] kappa; empty: no load waits
    std::span<const index_t> floor_of = {};            // [U] the floor a user counts for, -1: none; empty: no floors
    std::span<const double> floor = {}, penalty = {};  // [S] f, M
};

struct FairProblem {
    FairProblem(const Options& options, const FairArrays& arrays);

    const Options& options;
    std::vector<double> demand, weight, alpha, capacity, cost;
    std::vector<double> delay;           // [R] or empty; 0 where there is no capacity or no end of it
    std::vector<double> limit;           // [R] the largest load
    std::vector<std::int32_t> floor_of;  // [U] or empty; -1 also where the floor asks for nothing
    std::vector<double> floor, penalty;  // [S]
    std::vector<double> floor_most;      // [S] T_s
    std::vector<char> open;              // [K]
    std::vector<double> most;            // [U] D_u; 0 for users that do not count

    [[nodiscard]] double cost_of(std::size_t k) const { return cost.empty() ? 0.0 : cost[k]; }
    [[nodiscard]] double delay_of(std::size_t r) const { return delay.empty() ? 0.0 : delay[r]; }
    [[nodiscard]] std::int32_t floor_at(std::size_t u) const { return floor_of.empty() ? -1 : floor_of[u]; }

  private:
    void take_floors(const FairArrays& arrays);
};

struct FairWorth {
    double value = 0.0;
    double scale = 0.0;
    double violation = 0.0;
    Fault fault = Fault::none;
    index_t index = -1;  // of the option, user or resource after `fault`
};

// Prices a certificate is computed from: of resources [R] and of floors [S]; `floor` may be empty (all 0).
struct FairPrices {
    std::span<const double> resource, floor = {};
};

// The independent checker. `load` [R] and `shortfall` [S] are written.
[[nodiscard]] FairWorth evaluate(const FairProblem& problem, std::span<const double> x, std::span<double> load,
                                 std::span<double> shortfall);
// Prices below 0 and prices of resources without a limit count as 0, those of floors above M as M.
[[nodiscard]] double price_bound(const FairProblem& problem, const FairPrices& prices);
// Makes any numbers a feasible plan: clip, scale users down to their demand, then options by their fullest resource.
void fit(const FairProblem& problem, std::span<double> x);

}  // namespace tiertwin::alloc
