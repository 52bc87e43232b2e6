#include "perf/finite.hpp"

#include <algorithm>
#include <cmath>

namespace tiertwin::perf {
namespace {

constexpr double kLeastSpread = 1e-3;  // a: below it a queue hardly forms and eta would overflow beyond rho = 1
constexpr double kLargestRatio = 1e3;  // eta
constexpr double kNothing = 1e-18;     // of the sum: terms that no longer matter

}  // namespace

double queue_ratio(double rho, double a) {
    a = std::max(a, kLeastSpread);
    if (rho <= 1) return a * rho / (1 - rho + a * rho);
    return std::min(std::exp(std::log(rho) / a), kLargestRatio);
}

double loss_of(double rho, double a, std::int64_t places) {
    if (rho <= 0) return 0;
    a = std::max(a, kLeastSpread);
    const double eta = queue_ratio(rho, a), n = static_cast<double>(places - 1);
    double sum = n;  // 1 + eta + .. + eta^(K-2)
    if (eta < 1) {
        sum = -std::expm1(n * std::log(eta)) / (1 - eta);
    } else if (eta > 1) {
        sum = std::expm1(n * std::log(eta)) / (eta - 1);
    }
    const double x = 1 + eta / a * sum;
    if (rho <= 1) return rho * std::exp(n * std::log(eta)) / (1 + rho * x);
    return 1 - 1 / (1 / x + rho);  // x may be infinite
}

Waits waits_of(double lam, double rho, double a, double cs2, std::int64_t places) {
    a = std::max(a, kLeastSpread);
    const double eta = queue_ratio(rho, a), loss = loss_of(rho, a, places), last = static_cast<double>(places - 1);
    // Sums of w_n n^j over n = 1..K-1, w_n = eta^(n-1) up to a factor, begun at the heavier end so that nothing
    // overflows.
    const bool falls = eta <= 1;
    double weight = 1, sum = 0, s1 = 0, s2 = 0, s3 = 0;
    for (std::int64_t step = 0; step + 1 < places; ++step) {
        const auto n = static_cast<double>(falls ? step + 1 : places - 1 - step);
        sum += weight;
        s1 += weight * n;
        s2 += weight * n * n;
        s3 += weight * n * n * n;
        weight *= falls ? eta : 1 / eta;
        if (weight * n * n * n < kNothing * (1 + s3)) break;
    }
    if (!(s1 > 0)) return {};
    const double g = eta / a, alone = falls ? 1.0 : std::exp((1 - last) * std::log(eta));  // p_0 in units of w
    const double scale = g / (alone + g * sum);
    const double busy = sum * scale, n1 = s1 * scale, n2 = s2 * scale, n3 = s3 * scale;
    const double mean = ((n1 - busy) * (1 - loss) + last * loss) / (lam * (1 - loss)), unit = mean / n1;
    const double variance = unit * unit * (n2 - n1 * n1 + cs2 * n1);
    const double third = unit * unit * unit * (n3 - 3 * n1 * n2 + 2 * n1 * n1 * n1 + 3 * cs2 * (n2 - n1 * n1));
    return {std::max(mean, 0.0), std::max(variance, 0.0), std::max(third, 0.0)};
}

}  // namespace tiertwin::perf
