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
    const double eta = queue_ratio(rho, a), k = static_cast<double>(places);
    double x = 1 / k;  // eta = 1
    if (eta < 1) {
        const double log_eta = std::log(eta);
        x = std::exp((k - 1) * log_eta) * (1 - eta) / -std::expm1(k * log_eta);
    } else if (eta > 1) {
        x = (1 - 1 / eta) / -std::expm1(-k * std::log(eta));
    }
    return rho * x / (1 + rho * x);
}

Waits waits_of(double lam, double rho, double a, double cs2, std::int64_t places) {
    const double eta = queue_ratio(rho, a), loss = loss_of(rho, a, places), busy = rho * (1 - loss);
    // Sums over n = 1..K-1 of w_n n^j, w_n = p_n/p_1, begun at whichever end is heavier so that nothing overflows.
    const bool falls = eta <= 1;
    double weight = 1, sum = 0, s1 = 0, s2 = 0, s3 = 0;
    for (std::int64_t step = 0; step < places; ++step) {
        const auto n = static_cast<double>(falls ? step + 1 : places - step);
        sum += weight;
        if (falls ? step + 1 < places : step > 0) {
            s1 += weight * n;
            s2 += weight * n * n;
            s3 += weight * n * n * n;
        }
        weight *= falls ? eta : 1 / eta;
        if (weight * n * n * n < kNothing * (1 + s3)) break;
    }
    const double scale = busy / sum / (1 - loss);  // of w_n into the share of accepted packets that find n
    const double n1 = s1 * scale, n2 = s2 * scale, n3 = s3 * scale;
    if (!(n1 > 0)) return {};
    // all of K packets wait but the one in service: E[N] - busy = sum (n - 1) p_n
    const double top = falls ? std::pow(eta, static_cast<double>(places - 1)) : 1;
    const double all = s1 + static_cast<double>(places) * top;
    const double mean = (all / sum - 1) * busy / (lam * (1 - loss)), unit = mean / n1;
    const double variance = unit * unit * (n2 - n1 * n1 + cs2 * n1);
    const double third = unit * unit * unit * (n3 - 3 * n1 * n2 + 2 * n1 * n1 * n1 + 3 * cs2 * (n2 - n1 * n1));
    return {std::max(mean, 0.0), std::max(variance, 0.0), std::max(third, 0.0)};
}

}  // namespace tiertwin::perf
