// How likely a gain is chance: the upper tail of F, and p-values of many tests at once.
//
//   P(F > f) = I_x(d2 / 2, d1 / 2),  x = d2 / (d2 + d1 f)          (regularised incomplete beta, by continued fraction)
//   Benjamini-Hochberg: p sorted ascending p_(1) … p_(n);  adjusted p_(i) = min over j >= i of n p_(j) / j, at most 1
//
// Source   NIST Digital Library of Mathematical Functions 8.17.22;
//          Y. Benjamini, Y. Hochberg, J. R. Stat. Soc. B 57 (1995) 289.
// Range    a, b > 0, 0 <= x <= 1. Relative error (measured against Boost's): below 1e-11 for a, b <= 1e3, 1e-9 to 1e5.
// Thread   pure.
#pragma once

#include <span>

namespace tiertwin::abstraction {

[[nodiscard]] double incomplete_beta(double a, double b, double x);  // InvalidArgument
// 1 for f <= 0; 0 for f infinite. InvalidArgument: NaN, degrees of freedom that are not positive.
[[nodiscard]] double f_tail(double f, double d1, double d2);
// Adjusted p-values in place; NaN: no test, left as it is and not counted. Ties keep their order of place.
void adjust_p_values(std::span<double> p);

}  // namespace tiertwin::abstraction
