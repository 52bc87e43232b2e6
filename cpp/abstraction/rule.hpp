// Merge rules: how values of members become one summary, and summaries of parts one summary of the whole.
//
// Only mergeable rules exist (an average of averages cannot be written). A rule owns `width` consecutive attributes
// from its base; a *partial* source has the same layout, so a parent summarises summaries by the same rule:
//
//   rule      columns of the summary           of an empty group   merging adds
//   sum       Σ x                              0                   sums
//   min, max  extreme of x                     not written         extremes
//   moments   count, mean, M2 = Σ (x - mean)²  0, 0, 0             Chan's pairwise update, in row order
//   any, all  1 if any / every x is not 0      0 / 1               the same
//   wmean     Σ w x, Σ w   (mean = quotient)   0, 0                sums
//   hist      counts of log buckets            0                   sums, exact in any grouping
//   largest   largest x >= 0 one member holds  0                   maximum: ten members with 1 are not one with 10
//   oldest    age of the oldest sample, ms     not written         maximum of (age + time since it was told)
//
// A member whose cell nobody wrote does not count. Source of the moments: Chan, Golub, LeVeque (1983), equation 2.1.
#pragma once

#include <cstdint>
#include <string_view>

#include "abstraction/histogram.hpp"
#include "base/types.hpp"

namespace tiertwin::abstraction {

enum class Rule : std::uint8_t { sum, min, max, moments, any, all, wmean, hist, largest, oldest };

[[nodiscard]] Rule rule_of(std::string_view name);  // InvalidArgument names the known ones
[[nodiscard]] std::string_view name_of(Rule rule);

// How far the truth may lie from a summary's value when every member's true x lies within `deadband` of the value it
// last reported, for `members` members: the bound a summary declares. For `wmean` and `moments` it bounds the mean, for
// `hist` any quantile (`value` is that quantile). Not defined for any, all and oldest: 0.
[[nodiscard]] double declared_bound(Rule rule, index_t members, double deadband, double value);

}  // namespace tiertwin::abstraction
