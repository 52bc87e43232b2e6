// A packet size reduced to two values, and what two packets of one stream do to each other in light traffic.
//
// Two-point law: the two values and weights that have the given first three moments (Gauss quadrature of the law):
// with standard deviation s and skewness g the values are m1 + s x, x^2 - g x - 1 = 0. For constant sizes both are m1.
//
// Three-point law: smallest a, largest b and one value between, with the same three moments (Gauss-Lobatto): with
// y = (S - a)(b - S) the middle value is E[yS]/E[y]. Exact for laws of three values such as IMIX.
//
// Light traffic: packet m enters a common path of links, packet n a time u later, u uniform (Poisson arrivals to first
// order). Both keep their sizes. Over a link of capacity C (bytes/s) a gap g between them becomes
//     g' = max(g, m/C) + (n - m)/C,      so after some links  g(u) = max(u + shift, least),
// and at the next link, of capacity K, n waits (m/K - g)^+. Integrated over u >= 0 and relative to packets that come
// independently (m^2/(2 K^2)):
//     pair = E[ (X - least)^+ max(least - shift, 0) + ((X - max(least, shift))^+)^2 / 2 ] / (E[S^2]/(2 K^2)),  X = m/K
// 1: as if fresh; 0: never wait for each other (constant sizes, links not faster than the one that waits); 1.75 for
// exponential sizes at the second of two equal links: small packets catch up with large ones.
//
// Thread safety  pure.   Costs: 5 ns; 20 ns a pair and link.
#pragma once

#include <array>
#include <span>

namespace tiertwin::perf {

struct TwoPoint {
    std::array<double, 2> value{}, weight{};
    [[nodiscard]] double fourth_moment() const;  // a lower bound of the law's own
};
[[nodiscard]] TwoPoint two_point(double m1, double m2, double m3);

struct ThreePoint {
    std::array<double, 3> value{}, weight{};  // ascending
};
[[nodiscard]] ThreePoint three_point(double m1, double m2, double m3, double smallest, double largest);

// `before`: capacities (bytes/s) of the common links in order; `here`: of the link that waits. m2 = E[S^2].
[[nodiscard]] double light_pair(const TwoPoint& law, double m2, std::span<const double> before, double here);
// The same, n being the larger of the two sizes: 0 behind links that are no faster.
[[nodiscard]] double light_largest(const TwoPoint& law, double m2, std::span<const double> before, double here);

}  // namespace tiertwin::perf
