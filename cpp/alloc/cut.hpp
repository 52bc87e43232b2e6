// A cut in closed form: an upper bound on the value of a leaf for every quota, from any prices whatever.
//
//   c_it = cost_it + sum_k l_k use_own_kit + sum_j g_j use_quota_jit,   p_i = min_t c_it,   q_i = best share at p_i
//   phi  = sum_i d_i psi_i + sum_k D*_k(l_k),                         psi_i = b_i U(q_i) - p_i q_i
//   V(r) <= phi + g.r   for every r >= 0
//
// Proof: relax the K + J couplings at prices l, g >= 0; the maximum separates per group, and each group takes its
// cheapest tier (weak duality). A solver only suggests prices; its accuracy never enters the bound. phi is rounded
// upwards by a few units in the last place of its terms.
//
// Thread safety  pure function.
// Requires       quota_price [J], own_price [K], finite; negative prices count as 0.
// Returns        phi, and drift = sum_i d_i |psi_i|: phi grows by at most eta * drift when demands move by a share eta.
// Cost           O(G T (K + J)).
#pragma once

#include <span>

#include "alloc/leaf_problem.hpp"

namespace tiertwin::alloc {

struct Cut {
    double phi = 0.0;
    double drift = 0.0;
};

[[nodiscard]] Cut cut(const LeafProblem& problem, std::span<const double> quota_price,
                      std::span<const double> own_price);

}  // namespace tiertwin::alloc
