// The normal matrix of an interior point over users with options: built user by user, rows that do not see each other
// eliminated first, the rest dense.
//
//   N = sum_u [ sum_k v_k (a_k - b_u)(a_k - b_u)' + V_u h_u b_u b_u' ] + diag(d),   V_u = sum_k v_k,  b_u = sum_k v_k
//   a_k / V_u
//
// a_k is what option k uses of the rows: own entries of its own, and those that all options of the user have alike,
// c_u. Since these have no spread, their parts need no sum over options: h_u c_u V_u b_u beside the own rows and
// h_u V_u c_u c_u' among themselves.
//
// (k over the options of u; 0 <= h_u <= 1). The part of a user is computed as sum_k v_k a_k a_k' - (1 - h) V b b',
// which visits entries only, unless one option has nearly all of v and h is nearly 0: then nothing would be left of the
// digits and the means are subtracted first.
//
// Every user touches few rows, so its part is summed in a small triangle and then added to places found once. Rows no
// user shares with each other (uplinks of different sites, links of one user) form a diagonal block and are eliminated
// before the dense factorisation of what is left, the core.
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

// What one thread adds up over its users.
struct NormalPart {
    std::vector<double> values, triangle, mean, option;
};

inline constexpr std::size_t kMostRows = 65536, kMostCore = 8192;

// Options of users, rows of options, rows common to the options of users; all of it outlives the matrix.
struct NormalShape {
    std::span<const std::uint32_t> of_user, of_option, row;
    std::span<const std::uint32_t> of_common = {}, common_row = {};  // empty: nothing is common
    std::size_t rows = 0;
};

class NormalMatrix {
  public:
    explicit NormalMatrix(const NormalShape& shape);
    explicit NormalMatrix(const Options& options);

    // Users first, each into the part of its thread; then the parts in their order, then the diagonal.
    void clear(NormalPart& part) const;
    // The part of user u: `a` one number an entry, `common` one a common entry, `v` one an option of the user,
    // their sum V and h.
    void add_user(NormalPart& part, std::size_t u, std::span<const double> a, std::span<const double> common,
                  std::span<const double> v, double v_sum, double held) const;
    void gather(std::span<NormalPart* const> parts);
    // The same with a part of its own, for one thread: clear, users, diagonal.
    void clear();
    void add_user(std::size_t u, std::span<const double> a, std::span<const double> v, double v_sum, double held);
    void add_diagonal(std::size_t row, double value) { values_[diagonal_[row]] += value; }
    void factor();
    void solve(std::span<double> b);

    [[nodiscard]] std::size_t core() const { return core_rows_.size(); }

  private:
    void sum_options(NormalPart& part, std::size_t u, std::span<const double> a, std::span<const double> v) const;
    void sum_centred(NormalPart& part, std::size_t u, std::span<const double> a, std::span<const double> v,
                     double v_sum) const;
    void find_unions();
    void take_union(std::size_t u, std::vector<std::uint32_t>& rows);
    [[nodiscard]] std::size_t commons(std::size_t u) const {
        return shape_.of_common.empty() ? 0 : shape_.of_common[u + 1] - shape_.of_common[u];
    }
    void find_core(const std::vector<std::vector<std::uint32_t>>& neighbours);
    void find_targets();
    [[nodiscard]] std::uint32_t place_of(std::uint32_t r, std::uint32_t s) const;

    NormalShape shape_;
    std::vector<std::uint32_t> union_offset_, union_row_;  // rows of each user: own ones, rising, then common ones
    std::vector<std::uint16_t> local_;                     // place of an entry's row among those of its user
    std::vector<std::size_t> target_offset_;
    std::vector<std::uint32_t> target_;  // where a user's packed lower triangle goes in values_

    std::vector<std::int64_t> place_;                    // row -> core index, or -(e + 1)
    std::vector<std::uint32_t> core_rows_, gone_rows_;   // core index -> row; eliminated e -> row
    std::vector<std::uint32_t> beside_offset_, beside_;  // core neighbours of each eliminated row, rising
    std::vector<std::uint32_t> diagonal_;                // row -> place of its diagonal
    std::vector<double> values_, core_right_;            // values_: eliminated diagonals, their rows, the core
    NormalPart own_;
    std::size_t core_at_ = 0, most_union_ = 0;
};

}  // namespace tiertwin::alloc
