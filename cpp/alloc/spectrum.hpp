// Powers of the cells of one cluster, for users whose cells are given: proportional fairness over signal and
// interference.
//
//   s_k = p_j g_kj / B_j,   I_k = sum_{i != j} rho_i p_i g_ki / B_i + outside_k + N0        W/Hz, j the cell of k
//   e_k = min(eta log2(1 + s_k / I_k), cap)                                                 bit/s/Hz
//   maximise  F(q) = sum_k w_k log e_k,   q = log p,   log p_min <= q <= log p_max
//
// F is concave in q: log s_k - log I_k is (a linear function less a log-sum-exp), and t -> log log(1 + e^t) is concave
// and rises; a cap keeps that. So the best powers for given cells and shares are found, and how far a point is from
// them is bounded by its own gradient:  F* - F(q) <= sum_j max over the box of g_j (q'_j - q_j)   (Frank and Wolfe,
// 1956).
//
// The method is projected gradient ascent with spectral steps (Birgin, Martinez and Raydan, SIAM J. Optim. 10(4),
// 2000), here with every step an improvement, so that more steps are never worse.
//
// Units      gains linear; powers W; bandwidths Hz; noise and interference from outside W/Hz.
// Requires   gains finite and >= 0; p_min > 0; bandwidths > 0; N0 > 0; activities in [0, 1]; eta, cap > 0
//            (InvalidArgument, with the index).
// Cost       O(users cells) an evaluation; 20 to 200 of them.
// Thread safety  pure functions.
#pragma once

#include <span>
#include <vector>

#include "base/types.hpp"

namespace tiertwin::alloc {

struct Cluster {
    std::span<const double> gain;                 // [U, C]
    std::span<const double> least, most;          // [C] powers
    std::span<const double> bandwidth, activity;  // [C]
    std::span<const double> outside;              // [U]
    double noise = 4e-21, efficiency = 0.7, cap = 7.4;

    [[nodiscard]] std::size_t cells() const { return bandwidth.size(); }
    [[nodiscard]] std::size_t users() const { return outside.size(); }
    void check() const;
};

// e of every user at every cell under these powers, [U, C] into `out`.
void spectral_efficiency(const Cluster& cluster, std::span<const double> power, std::span<double> out);

struct PowerAnswer {
    std::vector<double> power;
    double value = 0.0;  // F; users without a cell, or without any signal, are no part of it
    double gap = 0.0;    // F* - F is at most this
    index_t iterations = 0;
};

// From `start` [C], clipped to the box. `cell` [U]: the cell of each user, -1 for none. Stops where the gap is at most
// `tolerance` times the sum of weights, at the limit, or where no step gets further.
[[nodiscard]] PowerAnswer ascend_power(const Cluster& cluster, std::span<const index_t> cell,
                                       std::span<const double> weight, std::span<const double> start,
                                       index_t iteration_limit, double tolerance);

}  // namespace tiertwin::alloc
