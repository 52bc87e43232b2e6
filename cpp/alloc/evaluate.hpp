// The independent checker: what a plan is worth and whether it may be put in force. Shares no code with the solvers.
//
//   value      sum_i d_i b_i U(q_i) - sum_it cost_it x_it - sum_k D_k(load_k)
//   scale      S = sum_i d_i b_i q_i^(1-a_i): gaps are divided by it
//   violation  largest excess over a bound, relative to that bound (to the load at full demand where the bound is 0)
//
// Thread safety  pure function; safe from any thread on distinct outputs.
// Requires       x of [G,T]; `quota` empty (none asked) or [J]; `use` [J], `own_load` [K].
// Cost           O(G T (K + J)).
#pragma once

#include <span>

#include "alloc/leaf_problem.hpp"

namespace tiertwin::alloc {

// What the largest violation is about; passed to Python as an int.
enum class Fault { none = 0, not_finite = 1, negative = 2, demand = 3, own_capacity = 4, quota = 5 };

struct Evaluation {
    double value = 0.0;
    double scale = 0.0;
    double violation = 0.0;
    Fault fault = Fault::none;
    index_t index = -1;  // flat index into x, group, resource or quota, after `fault`
};

[[nodiscard]] Evaluation evaluate(const LeafProblem& problem, std::span<const double> x, std::span<const double> quota,
                                  std::span<double> use, std::span<double> own_load);

// Value of the same absolute rates when every demand is (1 + growth) times as large: the `v_low` of a point under
// declared drift. Growth is not served.
[[nodiscard]] double value_at_growth(const LeafProblem& problem, std::span<const double> x, double growth);

// load_r = sum_it row_it x_it
[[nodiscard]] double load_of(std::span<const double> row, std::span<const double> x);

}  // namespace tiertwin::alloc
