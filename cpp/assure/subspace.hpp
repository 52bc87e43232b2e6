// Do many attributes still hang together as they did while all was well? T² and Q of principal components.
//
//   z = (x - mean) / std over the clean start;  P = leading eigenvectors of the correlation, the fewest whose
//   eigenvalues lambda make up `share` of all;  t = P z T² = sum t_k² / lambda_k     far from the centre, but within
//   the model Q  = |z - Pᵀ t|²             off the model both as means of the last `mean` rows, over the q-quantile of
//   the same in the clean start (linear interpolation): above `factor` is an anomaly
//
// Source    H. Hotelling (1947); Q: J. E. Jackson, G. S. Mudholkar, Technometrics 21 (1979) 341. Limits are quantiles
// of
//           the clean start, not those of normal theory: residuals of real sensors are neither normal nor independent.
// Clean     the first `clean` complete rows, taken to be without fault. Before: both 0.
// Missing   a row with a NaN is not judged: the statistics keep what they were.
// Constant  an attribute that did not move in the clean start has no part in z.
// Range     values up to 1e140; others are refused, nothing changes. No component is left: Q is 0; none is off: T²
// alone. Costs     the fit: 10 A³ + clean A²; a row: 4 A k. Memory: 8 A (A + clean) bytes while learning, 8 A² + 16
// `mean` after. Thread    one thread owns it.
#pragma once

#include <span>
#include <vector>

#include "base/types.hpp"

namespace tiertwin::assure {

struct SubspaceOptions {
    index_t clean = 400, mean = 10;
    double share = 0.85, quantile = 0.99;
};

class SubspaceWatch {
  public:
    SubspaceWatch(index_t attributes, const SubspaceOptions& options);  // InvalidArgument

    // Rows × attributes in; T² and Q over their limits, one a row, out.
    void push(std::span<const double> values, std::span<double> t2, std::span<double> q);

    [[nodiscard]] index_t attributes() const { return static_cast<index_t>(attributes_); }
    [[nodiscard]] index_t components() const { return static_cast<index_t>(lambda_.size()); }  // 0: still learning
    [[nodiscard]] index_t memory_bytes() const;

  private:
    struct Running {  // mean of the last rows
        std::vector<double> ring;
        std::size_t seen = 0;
        double push(double value);
    };
    void take(std::span<const double> row);
    void fit();
    void statistics(std::span<const double> row, double& t2, double& q);
    void limits();

    std::size_t attributes_;
    SubspaceOptions options_;
    std::vector<double> clean_;  // rows × A, until the fit
    std::vector<double> mean_, inverse_spread_, lambda_, components_, z_;
    Running t2_, q_;
    double t2_limit_ = 0.0, q_limit_ = 0.0, t2_now_ = 0.0, q_now_ = 0.0;
};

}  // namespace tiertwin::assure
