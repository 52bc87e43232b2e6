#include "assure/checks.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/error.hpp"

namespace tiertwin::assure {
namespace {

constexpr double kMost = 1e300;

}  // namespace

void expect_within(const char* name, double value, double low, double high) {
    if (value >= low && value <= high) return;
    throw InvalidArgument(std::string(name) + ": expected " + std::to_string(low) + " … " + std::to_string(high) +
                          ", got " + std::to_string(value));
}

void expect_positive(const char* name, double value) {
    if (value > 0.0 && std::isfinite(value)) return;
    throw InvalidArgument(std::string(name) + ": expected a positive, finite number, got " + std::to_string(value));
}

void expect_at_least(const char* name, index_t value, index_t least) {
    if (value >= least) return;
    throw InvalidArgument(std::string(name) + ": expected at least " + std::to_string(least) + ", got " +
                          std::to_string(value));
}

void expect_rows(std::span<const double> values, std::size_t width, std::span<const double> out) {
    if (values.size() % width == 0 && out.size() == values.size()) return;
    throw InvalidArgument("values: expected whole rows of " + std::to_string(width) + " attributes, got " +
                          std::to_string(values.size()) + " values for " + std::to_string(out.size()) + " results");
}

void expect_finite_or_missing(std::span<const double> values, std::size_t width) {
    for (std::size_t at = 0; at < values.size(); ++at) {
        if (std::isnan(values[at]) || std::fabs(values[at]) <= kMost) continue;
        throw InvalidArgument("values: expected finite numbers up to 1e300, or NaN for one not seen, got " +
                              std::to_string(values[at]) + " in row " + std::to_string(at / width) + ", attribute " +
                              std::to_string(at % width) + "; nothing of this call was taken");
    }
}

void expect_forwards(std::span<const double> times_s, double newest) {
    for (std::size_t row = 0; row < times_s.size(); ++row) {
        if (std::isfinite(times_s[row]) && times_s[row] >= newest) {
            newest = times_s[row];
            continue;
        }
        throw InvalidArgument("times_s: expected finite times that do not go backwards, got " +
                              std::to_string(times_s[row]) + " s in row " + std::to_string(row) + " after " +
                              std::to_string(newest) +
                              " s; sort the samples, or begin a new watch after the clock was "
                              "set back; nothing of this call was taken");
    }
}

double quantile_of(std::vector<double>& values, double q) {
    std::ranges::sort(values);
    const double place = q * static_cast<double>(values.size() - 1);
    const auto low = static_cast<std::size_t>(place);
    const double part = place - static_cast<double>(low);
    return low + 1 < values.size() ? values[low] + part * (values[low + 1] - values[low]) : values[low];
}

}  // namespace tiertwin::assure
