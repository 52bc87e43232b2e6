// The normal matrix of the routing interior point, a sum over users u and pairs of their options:
//
//   N = sum_u sum_{k<l of u} (v_k v_l / V_u) (a_k - a_l)(a_k - a_l)' + diag(d),    V_u = sum_k v_k
//
// which is sum_k v_k (a_k - b)(a_k - b)' with the mean b = sum_k v_k a_k / V_u, without a difference of large numbers.
// The differences are the same in every iteration and found once. The matrix is dense; where that would be large
// (kDenseRows), or a user has many options, NormalMatrix does it, which first eliminates rows that do not see each
// other.
//
// Thread safety  one thread owns a RoutingMatrix.
// Requires       as NormalMatrix.
// Cost           building O(sum over pairs of n^2), n = resources two options do not share; factor rows^3/3.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "alloc/normal.hpp"

namespace tiertwin::alloc {

class RoutingMatrix {
  public:
    // `a` one number an entry of `options`, both kept by reference.
    RoutingMatrix(const Options& options, std::span<const double> a);

    void clear();
    void add_diagonal(std::size_t row, double value);
    // `v` one an option, `v_sum` its sum over the options of user u. Users come in their order, each once.
    void add_user(std::size_t u, std::span<const double> v, double v_sum);
    void factor();
    void solve(std::span<double> b);

  private:
    const Options& options_;
    std::span<const double> a_;
    std::unique_ptr<NormalMatrix> sparse_;  // null: dense
    std::size_t rows_;
    std::vector<double> values_;                     // [rows, rows] lower triangle
    std::vector<std::size_t> pair_offset_;           // [users + 1] first pair
    std::vector<std::uint32_t> entry_offset_, row_;  // [pairs + 1] first entry; rows rise in a pair
    std::vector<double> difference_;

    [[nodiscard]] bool pairs_pay() const;
    void add_pair(std::size_t k, std::size_t l);
};

}  // namespace tiertwin::alloc
