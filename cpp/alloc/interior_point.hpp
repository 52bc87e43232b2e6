// Primal-dual interior-point method for the leaf problem; the coupling of the groups is only K + J rows.
//
// Scaled problem (z_it = x_it / d_i, values in units of the mean weight, rows in units of the load at full demand):
//
//   minimise  sum_it c_it z_it - sum_i w_i U(q_i) + sum_r D_r(c_r - t_r)      over z, s, t >= 0
//   subject   sum_t z_it + s_i = 1,   sum_it a_rit z_it + t_r = c_r           (row r: own resource or quota)
//
// Optimality, with n, m, pi >= 0 the prices of z, s, t:
//
//   c_it + l.a_it + m_i - p_i - n_it = 0,    l_r = pi_r + e_r                  stationarity
//   z n = s m = t pi = mu -> 0                                                complementarity
//   p_i q_i^a = w_i,   e_r (C_r - y_r)^2 = kappa_r C_r                          price of service, price of delay
//
// The last line is linearised in logarithms: prices stay positive, a = 0 is a linear leaf, and a = 4 needs no line
// search. Each group is a diagonal plus rank one, so that a Newton step costs O(G T R) plus one R x R Cholesky, R = K +
// J (Schur complement of the rows); the group means are subtracted first, which keeps all digits when one tier
// dominates. Predictor and corrector after Mehrotra (1992).
//
// Thread safety  one thread owns an object: it keeps its work arrays between solves. Deterministic, no memory of
// earlier
//                solves beyond their size.
// Returns        suggestions only: prices for `cut`, rates for `repair`. Neither needs the method to have converged.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "alloc/leaf_problem.hpp"

namespace tiertwin::alloc {

inline constexpr index_t kMaxRows = 64;  // own resources + quotas of one leaf

// Gaps are over S, or over this share of the sum of weights where S is less (a leaf that serves nobody has S = 0).
inline constexpr double kLeastScale = 1e-6;

struct Suggestion {
    std::vector<double> x;            // [G,T] tasks/s, feasible up to rounding when converged
    std::vector<double> own_price;    // [K]
    std::vector<double> quota_price;  // [J] for a quota query, empty for a price query
    index_t iterations = 0;
    bool converged = false;
};

class InteriorPoint {
  public:
    virtual ~InteriorPoint() = default;

    // Rows are the K own resources, and with `with_quotas` the J quotas. `problem` must outlive the object.
    // Throws InvalidArgument beyond kMaxRows rows.
    static std::unique_ptr<InteriorPoint> make(const LeafProblem& problem, bool with_quotas);

    // `quota` [J] bounds the quota rows (made without quotas: ignored); `price` [J] or empty is added to the cost.
    // Stops when the estimated gap is below tolerance * S, or at the limit.
    virtual Suggestion solve(std::span<const double> quota, std::span<const double> price, index_t iteration_limit,
                             double tolerance) = 0;
};

}  // namespace tiertwin::alloc
