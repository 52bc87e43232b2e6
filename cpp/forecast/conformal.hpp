// Bands from what earlier forecasts missed: weighted conformal quantiles a series, with a level that adapts.
//
//   score of a forecast:  s = (y - f)/spread, signed.  A band takes the scores of the last `memory` forecasts of a
//   series: upper = least q with  Σ w_i [s_i <= q] >= (1 - a/2) (Σ w_i + 1),   w_i = decay^age;  +∞ if there is none
//   lower = the same of -s, negated
//   after each forecast that was scored, of 1 - level = m:
//   a ← clip(a + gain (m - [y outside]) + shared (m - share of all series' y outside), least, 1)
//   where a falls below 2/(Σ w_i + 1), for which no finite score is enough, the farthest score is taken.
//
// With decay 1, gain 0 this is split conformal prediction, each side at half the error: with n scores that are
// exchangeable with the next, P(outside) <= 1 - level. With a gain > 0 the share outside comes near 1 - level on any
// sequence.
//
// Source    V. Vovk, A. Gammerman, G. Shafer, Algorithmic Learning in a Random World (2005); weights: R. F. Barber et
// al.,
//           Ann. Stat. 51 (2023) 816; the adapting level: I. Gibbs, E. Candès, NeurIPS 2021.
// Missing   a score that is NaN is not counted.   Range: level, decay in (0, 1], level < 1; gain, shared >= 0; memory
// >= 1. Costs     a push O(1) a series, bounds O(m log m). Memory 16 m bytes a series.   Thread: one thread owns it.
#pragma once

#include <span>
#include <vector>

#include "base/types.hpp"

namespace tiertwin::forecast {

class ScoreBook {
  public:
    ScoreBook(index_t series, index_t memory, double level, double decay, double gain,
              double shared);  // InvalidArgument

    // Scores of one forecast, [series]; the level adapts to whether they lay inside the bounds of before.
    void push(std::span<const double> scores);

    void bounds(std::span<double> lower, std::span<double> upper) const;  // [series] each

    [[nodiscard]] std::span<const double> miss_rate() const { return rate_; }  // a, [series]
    [[nodiscard]] index_t series() const { return static_cast<index_t>(rate_.size()); }

  private:
    void adapt(std::span<const double> scores);
    void bounds_of(std::size_t s, double& lower, double& upper) const;

    std::size_t memory_, pushed_ = 0;
    double level_, decay_, gain_, shared_;
    std::vector<double> rate_;
    std::vector<double> scores_;  // series × memory, a ring
};

// Least q that a share of the weight lies at or below, the next observation counted as one more of weight 1 at +∞.
[[nodiscard]] double weighted_quantile(std::vector<std::pair<double, double>>& scores_and_weights, double share);

}  // namespace tiertwin::forecast
