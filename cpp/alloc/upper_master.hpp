// Primal-dual interior-point method for a node's upper model: quotas of its children under the least of their cuts.
//
//   maximise  sum_e th_e - sum_j [ kappa_j (1/(1 - y_j) - 1) + price_j y_j ],   y_j = sum_e S_ej x_ej <= limit_j
//   subject   th_e <= a_ek + G_ek.x_e,   0 <= x_ej <= 1                          (shares of what a child can use at
//   all)
//
// With s_ek, t_j the slacks of cuts and rows, rho, pi, n, m the multipliers of cuts, rows, x >= 0, x <= 1:
//
//   sum_k rho_ek = 1,   sum_k rho_ek G_ekj - S_ej p_j + n_ej - m_ej = 0,   p_j = kappa_j/(1 - y_j)^2 + price_j + pi_j
//   s rho = t pi = x n = (1 - x) m = mu -> 0
//
// A child is J x J after its theta (the mean of its cuts is subtracted first, which keeps the digits when one cut has
// all the weight); the children meet in a J x J system of row prices. Starts inside both problems and stays there, so
// the sum of products bounds the distance to the optimum up to the curvature of the delay term. Predictor and corrector
// after Mehrotra (1992), one step length for both sides; the best point is kept.
//
// Thread safety  pure function of its arguments; deterministic.
// Requires       1 <= J <= kMostLevels; S, kappa, price, G >= 0; limit > 0, below 1 where kappa > 0; all finite.
// Cost           O(N K J^2) an iteration, 10 to 20 of them: 10 children x 12 cuts x 3 rows 0.05 ms, 100 children 0.5
// ms. Returns        suggestions only: `settle` (nodemath.py) repairs and checks them, whatever became of the
// iteration.
#pragma once

#include <span>
#include <vector>

#include "base/types.hpp"

namespace tiertwin::alloc {

inline constexpr std::size_t kMostLevels = 8;

struct UpperMaster {
    std::size_t children, slots, levels;
    std::span<const double> level;                // a [N,K], utils over the model's spread
    std::span<const double> slope;                // G [N,K,J]
    std::span<const double> share;                // S [N,J]
    std::span<const double> limit, kappa, price;  // [J]
};

struct UpperAnswer {
    std::vector<double> x;       // [N,J]
    std::vector<double> weight;  // rho [N,K]
    std::vector<double> price;   // p [J]
    double gap = 0.0;            // sum of products, and what the delay terms are off by
    index_t iterations = 0;
};

[[nodiscard]] UpperAnswer solve_upper(const UpperMaster& problem, index_t iteration_limit, double tolerance);

}  // namespace tiertwin::alloc
