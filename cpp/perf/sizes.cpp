#include "perf/sizes.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tiertwin::perf {
namespace {

constexpr double kConstant = 1e-9;  // relative variance below which a size counts as constant

double waited(double m, double n, std::span<const double> before, double here) {
    double shift = 0, least = -std::numeric_limits<double>::infinity();
    for (const double c : before) {
        least = std::max(least, m / c) + (n - m) / c;
        shift += (n - m) / c;
    }
    const double x = m / here, beyond = x - std::max(least, shift);
    if (beyond <= 0) return 0;
    return beyond * std::max(least - shift, 0.0) + beyond * beyond / 2;
}

}  // namespace

double TwoPoint::fourth_moment() const {
    const double a = value[0] * value[0], b = value[1] * value[1];
    return weight[0] * a * a + weight[1] * b * b;
}

TwoPoint two_point(double m1, double m2, double m3) {
    const double variance = m2 - m1 * m1;
    if (variance <= kConstant * m1 * m1) return {{m1, m1}, {0.5, 0.5}};
    const double sd = std::sqrt(variance);
    const double skew = (m3 - 3 * m1 * m2 + 2 * m1 * m1 * m1) / (variance * sd);
    const double root = std::sqrt(skew * skew + 4), low = (skew - root) / 2, high = (skew + root) / 2;
    const double above = -low / root;  // weight of the higher value
    return {{std::max(m1 + low * sd, 0.0), m1 + high * sd}, {1 - above, above}};
}

ThreePoint three_point(double m1, double m2, double m3, double a, double b) {
    const double y = -m2 + (a + b) * m1 - a * b, ys = -m3 + (a + b) * m2 - a * b * m1;
    if (!(b - a > kConstant * b)) return {{m1, m1, m1}, {0, 0, 1}};
    if (!(y > kConstant * b * b)) {  // only the two ends
        const double top = std::clamp((m1 - a) / (b - a), 0.0, 1.0);
        return {{a, a, b}, {1 - top, 0, top}};
    }
    const double mid = std::clamp(ys / y, a + kConstant * b, b * (1 - kConstant));
    const double weight = std::clamp(y / ((mid - a) * (b - mid)), 0.0, 1.0);
    const double top = std::clamp((m1 - a - weight * (mid - a)) / (b - a), 0.0, 1.0 - weight);
    return {{a, mid, b}, {1 - weight - top, weight, top}};
}

double light_pair(const TwoPoint& law, double m2, std::span<const double> before, double here) {
    if (law.value[0] == law.value[1]) {
        const double m = law.value[0];
        return waited(m, m, before, here) / (m * m / (2 * here * here));
    }
    double sum = 0;
    for (std::size_t m = 0; m < 2; ++m)
        for (std::size_t n = 0; n < 2; ++n)
            sum += law.weight[m] * law.weight[n] * waited(law.value[m], law.value[n], before, here);
    return sum / (m2 / (2 * here * here));
}

double light_largest(const TwoPoint& law, double m2, std::span<const double> before, double here) {
    double sum = 0;
    for (std::size_t m = 0; m < 2; ++m) sum += law.weight[m] * waited(law.value[m], law.value[1], before, here);
    return sum / (m2 / (2 * here * here));
}

}  // namespace tiertwin::perf
