// One data version of a leaf (an edge domain): G groups, T tiers, K own resources, J quota components.
//
//   maximise  sum_i d_i b_i U(q_i; a_i) - sum_it cost_it x_it - sum_k D_k(load_k)
//   subject   sum_t x_it <= d_i,  x >= 0,  q_i = sum_t x_it / d_i,
//             load_k = sum_it use_own_kit x_it <= 0.98 C_k,  sum_it use_quota_jit x_it <= r_j
//
// Arrays are row-major: cost[i*T + t], use_own[(k*G + i)*T + t], use_quota[(j*G + i)*T + t]. Rates in tasks/s, values
// in utils/s. Tier 0 is the device: it uses no own resource and no quota, so a plan exists for every quota r >= 0.
//
// Thread safety  immutable after construction: share it freely.
// Requires       shapes as above, every number finite and >= 0, device columns of both uses zero (InvalidArgument).
#pragma once

#include <span>
#include <vector>

#include "base/types.hpp"

namespace tiertwin::alloc {

struct LeafArrays {
    std::span<const double> demand, weight, alpha, cost, use_own, capacity, kappa, use_quota;
};

class LeafProblem {
  public:
    LeafProblem(const LeafArrays& arrays, index_t tiers, index_t quotas);

    index_t groups, tiers, own, quotas;
    std::vector<double> demand, weight, alpha, cost, use_own, capacity, kappa, use_quota;
    std::vector<double>
        load_max;  // [K] load if all demand went to its dearest tier: the scale of a row without capacity
    std::vector<double> quota_max;  // [J] the same for quotas

    // Row k of use_own or j of use_quota: one number per (group, tier).
    [[nodiscard]] std::span<const double> own_row(index_t k) const { return row(use_own, k); }
    [[nodiscard]] std::span<const double> quota_row(index_t j) const { return row(use_quota, j); }
    [[nodiscard]] std::size_t cells() const { return cost.size(); }

  private:
    [[nodiscard]] std::span<const double> row(const std::vector<double>& rows, index_t r) const {
        return std::span(rows).subspan(static_cast<std::size_t>(r) * cells(), cells());
    }
};

}  // namespace tiertwin::alloc
