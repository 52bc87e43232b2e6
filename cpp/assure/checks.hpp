// What every watch checks before it takes anything, and the quantile they share.
#pragma once

#include <span>
#include <vector>

#include "base/types.hpp"

namespace tiertwin::assure {

// InvalidArgument: not low <= value <= high (NaN included).
void expect_within(const char* name, double value, double low, double high);
void expect_positive(const char* name, double value);
void expect_at_least(const char* name, index_t value, index_t least);

// InvalidArgument: not whole rows of `width`, or an output of another size.
void expect_rows(std::span<const double> values, std::size_t width, std::span<const double> out);

// InvalidArgument: an infinite value or one beyond 1e300, naming its row and column. NaN is a missing one.
void expect_finite_or_missing(std::span<const double> values, std::size_t width);

// InvalidArgument: a time that goes backwards, or is not finite. `newest`: of the call before (-inf: none).
void expect_forwards(std::span<const double> times_s, double newest);

// The q-quantile by linear interpolation (type 7 of R. J. Hyndman, Y. Fan, The American Statistician 50 (1996) 361);
// `values` are sorted, at least one.
[[nodiscard]] double quantile_of(std::vector<double>& values, double q);

}  // namespace tiertwin::assure
