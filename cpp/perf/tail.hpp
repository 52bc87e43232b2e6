// Quantiles of a distribution known by three moments: Pearson's type III (a shifted gamma law).
//
// With mean m, standard deviation s and skewness g > 0 the quantile is m + s K(g),  K(g) = (Q(k) - k)/sqrt(k),  k =
// 4/g^2, Q the quantile of the gamma law of shape k: P(k, Q) = q, P the regularised incomplete gamma function (series
// below k + 1, continued fraction above; Abramowitz & Stegun 6.5.29, 6.5.31). At |g| below 1e-4 the normal quantile;
// above kMostSkew the value there. Negative g: K_q(g) = -K_{1-q}(-g).
//
// Costs      0.2 us: a table over g (made at first use, a few ms) starts one step of Halley's method.
// Thread safety  yes.
#pragma once

namespace tiertwin::perf {

inline constexpr double kMostSkew = 12;

enum class Tail { k95, k99 };
// K(g): how many standard deviations above the mean; good to 1e-10.
[[nodiscard]] double tail_factor(Tail tail, double skew);
// Share of a Pearson III law (mean 0, standard deviation 1, skewness g > 0) beyond x.
[[nodiscard]] double tail_share(double x, double skew);
// P(k, x), k > 0, x >= 0.
[[nodiscard]] double gamma_share(double shape, double x);
// Solves P(k, x) = q by bisection and Newton steps; q in (0, 1).
[[nodiscard]] double gamma_quantile(double shape, double q);

}  // namespace tiertwin::perf
