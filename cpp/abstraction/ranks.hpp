// Rank correlation: Pearson's on average ranks (Spearman's), of series that may be short of samples, at several lags.
//
//   rho(x, y) = Σ a_i b_i / sqrt(Σ a_i² Σ b_i²),   a_i = 2 rank(x_i) - (n + 1): whole numbers, so the sums are exact
//   R(x, y)   = max over lag 0 … L of |rho(x(t - lag), y(t))|;  the least lag among equals
//
// Source   C. Spearman (1904); ties have the mean of their ranks.
// Missing  a pair counts only if both were seen, and ranks are among the pairs; fewer than `least` pairs: 0.
// Constant either series constant over the pairs: 0.
// Costs    O(N) a pair of series and lag: ranks of a part follow from the order of the whole, nothing is sorted.
// Thread   pure; RankScratch and LaggedTarget are owned by one thread.
#pragma once

#include <cstdint>
#include <vector>

#include "abstraction/series.hpp"

namespace tiertwin::abstraction {

struct LaggedRank {
    double rho = 0.0;  // signed, at `lag`
    index_t lag = 0;
};

// Doubled centred ranks by place of the pair, and the sum of their squares: whole numbers below 2^53, exact in doubles.
struct CentredRanks {
    std::vector<double> values;
    double squares = 0.0;
};

// Ranks of a whole series without missing samples.
void rank_whole(const SeriesView& series, CentredRanks& into);
[[nodiscard]] double correlate(const CentredRanks& a, const CentredRanks& b);

class RankScratch {
  public:
    // Of x(t - lag) and y(t); 0 <= lag.
    [[nodiscard]] double correlation(const SeriesView& x, const SeriesView& y, std::size_t lag, index_t least);

  private:
    CentredRanks x_, y_;
};

// A target and its ranks at each lag, for all series that are held against it. `y` must outlive the object.
class LaggedTarget {
  public:
    LaggedTarget(const SeriesView& y, index_t lags, index_t least);
    [[nodiscard]] LaggedRank strongest(const SeriesView& x);

  private:
    SeriesView y_;
    index_t lags_, least_;
    std::vector<CentredRanks> tails_;  // by lag, of y(t) for t >= lag; empty if y has gaps
    CentredRanks head_;
    RankScratch scratch_;
};

}  // namespace tiertwin::abstraction
