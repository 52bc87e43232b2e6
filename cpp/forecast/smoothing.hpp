// Exponential smoothing with a daily and a weekly cycle, and what is left carried over (Holt-Winters-Taylor).
//
//   e(t) = y(t) - [l + d(t-m1) + w(t-m2) + phi e(t-1)]
//   l ← l + alpha e,   d(t) ← d(t-m1) + delta e,   w(t) ← w(t-m2) + omega e
//   h ahead:  l + d(t+h-m1…) + w(t+h-m2…) + phi^h e(t)
//
// Source    J. W. Taylor, "Short-term electricity demand forecasting using double seasonal exponential smoothing",
//           J. Oper. Res. Soc. 54 (2003) 799, equations of the additive form; without trend.
// Start     l: mean of the first m2 samples; d: mean deviation of each slot of the day; w: what is left of the first
// week. Missing   NaN: nothing is learned, e(t) = phi e(t-1). Range     alpha, delta, omega in [0, 1], phi in [0, 1);
// m2 a multiple of m1; at least m2 samples to start from. Costs     about 15 operations a sample and series.   Thread:
// pure functions over the caller's arrays.
#pragma once

#include <span>
#include <vector>

#include "base/types.hpp"

namespace tiertwin::forecast {

struct Gains {
    double alpha = 0.02, delta = 0.1, omega = 0.1, phi = 0.2;
};

class DoubleSeason {
  public:
    DoubleSeason(index_t series, index_t day, index_t week);  // slots of the two cycles; InvalidArgument

    // Begins with the first week of `history` [series][time] and follows the rest; returns the mean square of one-step
    // errors after the first week, a series each, or NaN where there is none. `gains`: four a series.
    void follow(std::span<const double> history, index_t time, std::span<const double> gains, std::span<double> square);

    void update(std::span<const double> values);              // one a series
    void ahead(index_t steps, std::span<double> mean) const;  // [series][steps]

    [[nodiscard]] index_t series() const { return static_cast<index_t>(series_); }

  private:
    double step(std::size_t s, double value);  // the error
    void begin(std::size_t s, std::span<const double> first);

    std::size_t series_, day_, week_, clock_ = 0;
    bool begun_ = false;
    std::vector<Gains> gains_;
    std::vector<double> level_, error_, daily_, weekly_;  // S; S; S × day; S × week
};

}  // namespace tiertwin::forecast
