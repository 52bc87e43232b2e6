#include "abstraction/significance.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "base/error.hpp"

namespace tiertwin::abstraction {
namespace {

constexpr int kMostTerms = 10'000;
constexpr double kTiny = 1e-300;  // stands for a zero denominator (Lentz)

// lgamma of glibc writes the global `signgam`, which two threads may not do at once.
double log_gamma(double x) {
    int sign = 0;
    return ::lgamma_r(x, &sign);
}

double not_zero(double x) { return std::fabs(x) < kTiny ? kTiny : x; }

// Lentz's way through the continued fraction; it converges fast for x < (a + 1) / (a + b + 2).
double fraction(double a, double b, double x) {
    double c = 1.0, d = 1.0 / not_zero(1.0 - (a + b) * x / (a + 1.0)), value = d;
    for (int term = 1; term <= kMostTerms; ++term) {
        const double m = term, even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / not_zero(1.0 + even * d);
        c = not_zero(1.0 + even / c);
        value *= d * c;
        const double odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / not_zero(1.0 + odd * d);
        c = not_zero(1.0 + odd / c);
        const double factor = d * c;
        value *= factor;
        if (std::fabs(factor - 1.0) <= std::numeric_limits<double>::epsilon()) break;
    }
    return value;
}

}  // namespace

double incomplete_beta(double a, double b, double x) {
    if (!(a > 0.0) || !(b > 0.0) || !(x >= 0.0) || !(x <= 1.0))
        throw InvalidArgument("incomplete beta: expected a, b > 0 and 0 <= x <= 1, got a = " + std::to_string(a) +
                              ", b = " + std::to_string(b) + ", x = " + std::to_string(x));
    if (x == 0.0 || x == 1.0) return x;
    const double log_front = log_gamma(a + b) - log_gamma(a) - log_gamma(b) + a * std::log(x) + b * std::log1p(-x);
    const double front = std::exp(log_front);
    if (x < (a + 1.0) / (a + b + 2.0)) return front * fraction(a, b, x) / a;
    return 1.0 - front * fraction(b, a, 1.0 - x) / b;
}

double f_tail(double f, double d1, double d2) {
    if (std::isnan(f) || !(d1 > 0.0) || !(d2 > 0.0))
        throw InvalidArgument("F: expected a number and positive degrees of freedom, got f = " + std::to_string(f) +
                              ", d1 = " + std::to_string(d1) + ", d2 = " + std::to_string(d2));
    if (f <= 0.0) return 1.0;
    if (std::isinf(f)) return 0.0;
    return incomplete_beta(d2 / 2.0, d1 / 2.0, d2 / (d2 + d1 * f));
}

void adjust_p_values(std::span<double> p) {
    std::vector<std::size_t> tested;
    for (std::size_t i = 0; i < p.size(); ++i)
        if (!std::isnan(p[i])) tested.push_back(i);
    std::ranges::stable_sort(tested, [&](std::size_t a, std::size_t b) { return p[a] < p[b]; });
    double least = 1.0;
    for (std::size_t rank = tested.size(); rank > 0; --rank) {
        double& own = p[tested[rank - 1]];
        least = std::min(least, own * static_cast<double>(tested.size()) / static_cast<double>(rank));
        own = least;
    }
}

}  // namespace tiertwin::abstraction
