// Log-bucket histogram: quantiles with a relative error of 1 %, counts that merge by addition.
//
//   gamma = (1 + a) / (1 - a), a = 0.01.  Bucket 0 holds x <= low, bucket i holds low gamma^(i-1) < x <= low gamma^i,
//   the last one x > high. A bucket answers with 2 low gamma^i / (1 + gamma), at most a away, relatively, from any x in
//   it; the outer two with low and high. (DDSketch: Masson, Rim, Lee, 2019.)
//
// Requires  0 < low < high; the range is fixed per attribute, so that all parts have the same buckets.
// Thread    pure.
#pragma once

#include <span>

#include "base/types.hpp"

namespace tiertwin::abstraction {

inline constexpr double kQuantileError = 0.01;

class LogBuckets {
  public:
    LogBuckets(double low, double high);  // InvalidArgument

    [[nodiscard]] index_t count() const { return count_; }
    [[nodiscard]] index_t index(double x) const;  // NaN is the caller's mistake
    [[nodiscard]] double value(index_t bucket) const;
    // Smallest bucket's value below which at least q of the counts lie (nearest rank); NaN without counts.
    [[nodiscard]] double quantile(std::span<const double> counts, double q) const;

  private:
    double low_, high_, log_gamma_;
    index_t count_;
};

}  // namespace tiertwin::abstraction
