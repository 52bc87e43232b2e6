// Forecasts of many series at once by a Gaussian process in time whose factor grows by a row a sample (kriging).
//
//   y_s(t) ~ GP,  cov(y(t), y(u)) = same[|t-u|] or other[|t-u|], by whether t and u are slots of one kind; + noise at t
//   = u K = L Lᵀ;   a sample:  l = L⁻¹ k,  d = sqrt(k(0) + noise - |l|²),  z = (y - lᵀZ)/d  is L's and Z = L⁻¹Y's new
//   row ahead:      mean(u) = lᵀZ,  variance(u) = k(0) + noise - |l|²,  l = L⁻¹ k(u)
//
// All series share the covariance, so one factor serves them all: a sample costs the same solve for one as for 10 000.
//
// Source    C. E. Rasmussen, C. K. I. Williams, Gaussian Processes for Machine Learning (2006), algorithm 2.1;
//           the row-wise factor: G. H. Golub, C. F. Van Loan, Matrix Computations, 4.2.
// Units     those of y (the caller makes them zero mean and about unit spread); slots count samples.
// Range     values finite; slots rise; a table must reach the farthest lag asked for; noise > 0. InvalidArgument else,
//           and nothing changes.
// Costs     n samples, S series: a sample n² + 2nS operations, a slot ahead the same. Memory 4 n² + 8 n S bytes.
// Thread    one thread owns it; `ahead` changes nothing but its own working row.
#pragma once

#include <span>
#include <vector>

#include "base/types.hpp"

namespace tiertwin::forecast {

class GrowingFactor {
  public:
    // Covariance by lag (0, 1, …) between slots of one kind, and of different kinds.
    GrowingFactor(index_t series, std::span<const double> same, std::span<const double> other, double noise);

    void append(index_t slot, index_t kind, std::span<const double> values);  // values: one a series

    // For each of H slots after the newest: mean [H][series], variance [H] (with the noise of a sample).
    void ahead(std::span<const index_t> slots, std::span<const index_t> kinds, std::span<double> mean,
               std::span<double> variance) const;

    [[nodiscard]] index_t samples() const { return static_cast<index_t>(slots_.size()); }
    [[nodiscard]] index_t series() const { return static_cast<index_t>(series_); }
    [[nodiscard]] index_t last_slot() const { return slots_.empty() ? -1 : slots_.back(); }

  private:
    void solve(index_t slot, index_t kind, std::vector<double>& row) const;  // L⁻¹ k
    void project(std::span<const double> row, std::span<double> out) const;  // lᵀZ

    std::size_t series_;
    std::vector<double> same_, other_;
    double noise_;
    std::vector<index_t> slots_, kinds_;
    std::vector<double> factor_;    // rows of L, packed: row i starts at i (i + 1) / 2
    std::vector<double> whitened_;  // Z, n × series
    mutable std::vector<double> row_;
};

}  // namespace tiertwin::forecast
