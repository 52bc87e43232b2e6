#include "perf/mixture.hpp"

#include <utility>

#include "perf/tail.hpp"

namespace tiertwin::perf {
namespace {

constexpr int kMostSteps = 100;
constexpr double kClose = 1e-13;

}  // namespace

double mixed_quantile(double q, const SizedDelay& d, double least) {
    const auto beyond = [&](double x) {
        double share = -(1 - q);
        for (std::size_t k = 0; k < d.law.value.size(); ++k) {
            const double rest = x - d.fixed - d.law.value[k] * d.per_byte;
            share += d.law.weight[k] * (rest < 0 ? 1.0 : tail_share((rest - d.mean[k]) / d.sd[k], d.skew));
        }
        return share;
    };
    double low = least, high = d.fixed + d.law.value[2] * d.per_byte + d.mean[2];
    double at_low = q, at_high = beyond(high);
    for (int i = 0; i < kMostSteps && at_high > 0; ++i) {
        low = std::exchange(high, high + 4 * d.sd[2]);
        at_low = std::exchange(at_high, beyond(high));
    }
    for (int i = 0; i < kMostSteps && high - low > kClose * high && at_high < 0; ++i) {  // Illinois
        double x = (low * at_high - high * at_low) / (at_high - at_low);
        if (!(x > low && x < high)) x = (low + high) / 2;
        const double at = beyond(x);
        if (at > 0) {
            low = x;
            at_low = at;
            at_high /= 2;
        } else {
            high = x;
            at_high = at;
            at_low /= 2;
        }
        if (at == 0) break;
    }
    return high;
}

}  // namespace tiertwin::perf
