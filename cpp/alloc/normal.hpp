// The normal matrix of an interior point over users with options: built user by user, rows that do not see each other
// eliminated first, the rest dense.
//
//   N = sum_u [ sum_k v_k (a_k - b_u)(a_k - b_u)' + V_u h_u b_u b_u' ] + diag(d),   V_u = sum_k v_k,  b_u = sum_k v_k
//   a_k / V_u
//
// (k over the options of u; 0 <= h_u <= 1). The part of a user is computed as sum_k v_k a_k a_k' - (1 - h) V b b',
// which visits entries only, unless one option has nearly all of v and h is nearly 0: then nothing would be left of the
// digits and the means are subtracted first.
//
// a_k is what option k uses of the resources. Every user touches few rows, so its part is summed in a small triangle
// and then added to places found once. Rows no user shares with each other (uplinks of different sites, links of one
// user) form a diagonal block and are eliminated before the dense factorisation of what is left, the core.
//
// Thread safety  one thread owns a NormalMatrix.
// Requires       at most kMostRows rows, of which at most kMostCore stay in the core (InvalidArgument).
// Cost           building O(sum_u n_u^2), n_u = rows user u touches; factor O(sum over eliminated of degree^2 +
// core^3/3).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "alloc/options.hpp"

namespace tiertwin::alloc {

inline constexpr std::size_t kMostRows = 65536, kMostCore = 8192;

class NormalMatrix {
  public:
    explicit NormalMatrix(const Options& options);

    void clear();
    void add_diagonal(std::size_t row, double value) { values_[diagonal_[row]] += value; }
    // The part of user u: `a` one number an entry, `v` one an option, their sum V and h.
    void add_user(std::size_t u, std::span<const double> a, std::span<const double> v, double v_sum, double held);
    void factor();
    void solve(std::span<double> b);

    [[nodiscard]] std::size_t core() const { return core_rows_.size(); }

  private:
    void gather(std::size_t u, std::span<const double> a, std::span<const double> v);
    void gather_centred(std::size_t u, std::span<const double> a, std::span<const double> v, double v_sum);
    void find_unions(const Options& options);
    void find_core(const std::vector<std::vector<std::uint32_t>>& neighbours);
    void find_targets();
    [[nodiscard]] std::uint32_t place_of(std::uint32_t r, std::uint32_t s) const;

    const Options& options_;
    std::vector<std::uint32_t> union_offset_, union_row_;  // rows of each user, rising
    std::vector<std::uint16_t> local_;                     // place of an entry's row among those of its user
    std::vector<std::size_t> target_offset_;
    std::vector<std::uint32_t> target_;  // where a user's packed lower triangle goes in values_

    std::vector<std::int64_t> place_;                    // row -> core index, or -(e + 1)
    std::vector<std::uint32_t> core_rows_, gone_rows_;   // core index -> row; eliminated e -> row
    std::vector<std::uint32_t> beside_offset_, beside_;  // core neighbours of each eliminated row, rising
    std::vector<std::uint32_t> diagonal_;                // row -> place of its diagonal
    std::vector<double> values_, triangle_, mean_, option_,
        core_right_;  // values_: eliminated diagonals, their rows, the core
    std::size_t core_at_ = 0;
};

}  // namespace tiertwin::alloc
