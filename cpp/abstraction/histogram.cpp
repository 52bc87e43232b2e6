#include "abstraction/histogram.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "base/error.hpp"

namespace tiertwin::abstraction {
namespace {

constexpr double kGamma = (1.0 + kQuantileError) / (1.0 - kQuantileError);

}  // namespace

LogBuckets::LogBuckets(double low, double high) : low_(low), high_(high), log_gamma_(std::log(kGamma)) {
    if (!(low > 0.0) || !(high > low) || !std::isfinite(high)) {
        throw InvalidArgument("Expected a histogram range 0 < low < high, got " + std::to_string(low) + " … " +
                              std::to_string(high));
    }
    count_ = static_cast<index_t>(std::ceil(std::log(high / low) / log_gamma_ - 1e-9)) + 2;
}

index_t LogBuckets::index(double x) const {
    if (x <= low_) return 0;
    if (x > high_) return count_ - 1;
    const auto bucket = static_cast<index_t>(std::ceil(std::log(x / low_) / log_gamma_));
    return std::clamp<index_t>(bucket, 1, count_ - 2);
}

double LogBuckets::value(index_t bucket) const {
    if (bucket <= 0) return low_;
    if (bucket >= count_ - 1) return high_;
    return 2.0 * low_ * std::exp(static_cast<double>(bucket) * log_gamma_) / (1.0 + kGamma);
}

double LogBuckets::quantile(std::span<const double> counts, double q) const {
    double total = 0.0;
    for (const double n : counts) total += n;
    if (!(total > 0.0)) return std::numeric_limits<double>::quiet_NaN();
    const double rank = std::max(1.0, std::ceil(q * total));
    double seen = 0.0;
    for (std::size_t i = 0; i < counts.size(); ++i) {
        seen += counts[i];
        if (seen >= rank) return value(static_cast<index_t>(i));
    }
    return high_;
}

}  // namespace tiertwin::abstraction
