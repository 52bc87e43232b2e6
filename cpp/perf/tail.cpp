#include "perf/tail.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace tiertwin::perf {
namespace {

constexpr double kLeastSkew = 1e-4, kEpsilon = 1e-16;
constexpr int kMostTerms = 100000;
constexpr double kNormal95 = 1.6448536269514722, kNormal99 = 2.3263478740408408;

double level(Tail tail) { return tail == Tail::k95 ? 0.95 : 0.99; }
double normal(Tail tail) { return tail == Tail::k95 ? kNormal95 : kNormal99; }

// x^k e^-x / Gamma(k); the form around k keeps its digits where k is large
double density_x(double k, double x) {
    if (x <= 0) return 0;
    if (k < 30) return std::exp(k * std::log(x) - x - std::lgamma(k));
    const double r = (x - k) / k;
    const double stirling = 1 / (12 * k) - 1 / (360 * k * k * k) + 1 / (1260 * k * k * k * k * k);
    return std::sqrt(k / (2 * M_PI)) * std::exp(k * (std::log1p(r) - r) - stirling);
}

// 1 - P by Lentz's method
double upper(double k, double x, double front) {
    double b = x + 1 - k, c = 1e300, d = 1 / b, h = d;
    for (int i = 1; i < kMostTerms; ++i) {
        const double an = -i * (i - k);
        b += 2;
        d = 1 / (an * d + b);
        c = b + an / c;
        const double step = c * d;
        h *= step;
        if (std::abs(step - 1) < kEpsilon * 4) break;
    }
    return front * h;
}

double series(double k, double x, double front) {
    double term = 1 / k, sum = term;
    for (int i = 1; i < kMostTerms; ++i) {
        term *= x / (k + i);
        sum += term;
        if (term < sum * kEpsilon) break;
    }
    return front * sum;
}

// P - q without cancellation above the mean
double excess(double k, double x, double q) {
    const double front = density_x(k, x);
    return x < k + 1 ? series(k, x, front) - q : (1 - q) - upper(k, x, front);
}

double halley(double k, double x, double q) {
    const double density = density_x(k, x) / x;
    if (!(density > 0)) return x;
    const double step = excess(k, x, q) / density;
    return x - step / (1 - step * ((k - 1) / x - 1) / 2);
}

double factor(double skew, double q) {
    const double k = 4 / (skew * skew);
    return (gamma_quantile(k, q) - k) / std::sqrt(k);
}

class Table {
  public:
    explicit Table(Tail tail) {
        for (std::size_t i = 0; i < kNodes; ++i) {
            const double skew = static_cast<double>(i) * kStep;
            value_[i] = skew < kLeastSkew ? normal(tail) : factor(skew, level(tail));
        }
    }
    [[nodiscard]] double operator()(double skew) const {
        const double place = skew / kStep;
        const auto i = std::min(static_cast<std::size_t>(place), kNodes - 2);
        return value_[i] + (place - static_cast<double>(i)) * (value_[i + 1] - value_[i]);
    }

  private:
    static constexpr std::size_t kNodes = 1201;
    static constexpr double kStep = kMostSkew / (kNodes - 1);
    std::array<double, kNodes> value_{};
};

double upper_factor(Tail tail, double skew) {
    static const Table k95(Tail::k95), k99(Tail::k99);
    if (skew < kLeastSkew) return normal(tail);
    const double k = 4 / (skew * skew), root = std::sqrt(k), start = (tail == Tail::k95 ? k95 : k99)(skew);
    const double x = k + root * start;
    return x > 0 ? (halley(k, x, level(tail)) - k) / root : factor(skew, level(tail));
}

}  // namespace

double tail_share(double x, double skew) {
    if (skew < kLeastSkew) return std::erfc(x * M_SQRT1_2) / 2;
    const double g = std::min(skew, kMostSkew), k = 4 / (g * g), at = k + x * std::sqrt(k);
    return at <= 0 ? 1.0 : -excess(k, at, 1);
}

double gamma_share(double shape, double x) { return x <= 0 ? 0.0 : excess(shape, x, 0); }

double gamma_quantile(double shape, double q) {
    double low = 0, high = shape + 1;
    while (excess(shape, high, q) < 0) high *= 2;
    for (int i = 0; i < 200 && high - low > 1e-3 * high; ++i) {
        const double middle = (low + high) / 2;
        (excess(shape, middle, q) < 0 ? low : high) = middle;
    }
    double x = (low + high) / 2;
    for (int i = 0; i < 8; ++i) {
        const double next = std::clamp(halley(shape, x, q), low, high);
        if (std::abs(next - x) <= 1e-15 * x) break;
        x = next;
    }
    return x;
}

double tail_factor(Tail tail, double skew) {
    if (skew >= 0) return upper_factor(tail, std::min(skew, kMostSkew));
    if (skew > -kLeastSkew) return normal(tail);
    return -factor(std::min(-skew, kMostSkew), 1 - level(tail));
}

}  // namespace tiertwin::perf
