#include "abstraction/series.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "base/error.hpp"

namespace tiertwin::abstraction {
namespace {

void expect_no_infinity(std::span<const double> values) {
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (std::isinf(values[i]))
            throw InvalidArgument("series " + std::to_string(i) + ": expected a finite value, or NaN for none, got " +
                                  std::to_string(values[i]));
    }
}

}  // namespace

void order_of(std::span<const double> values, std::vector<std::int32_t>& order) {
    std::vector<std::pair<double, std::int32_t>> sorted;  // side by side: half the time of comparing through places
    sorted.reserve(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (std::isinf(values[i]))
            throw InvalidArgument("sample " + std::to_string(i) + ": expected a finite value, or NaN for none, got " +
                                  std::to_string(values[i]));
        if (!std::isnan(values[i])) sorted.emplace_back(values[i], static_cast<std::int32_t>(i));
    }
    std::ranges::sort(sorted);
    order.resize(sorted.size());
    std::ranges::transform(sorted, order.begin(), [](const auto& entry) { return entry.second; });
}

SeriesSet::SeriesSet(index_t series, index_t window) : series_(series), window_(static_cast<std::size_t>(window)) {
    if (series < 1) throw InvalidArgument("expected at least one series, got " + std::to_string(series));
    if (window < kLeastWindow || window > kMostWindow)
        throw InvalidArgument("window: expected " + std::to_string(kLeastWindow) + " … " + std::to_string(kMostWindow) +
                              " samples, got " + std::to_string(window));
    const auto count = static_cast<std::size_t>(series);
    ring_.resize(count * 2 * window_);
    sorted_.resize(count * window_);
    seen_.resize(count);
}

void SeriesSet::push(std::span<const double> values) {
    if (values.size() != seen_.size())
        throw InvalidArgument("expected " + std::to_string(series_) + " values (one per series), got " +
                              std::to_string(values.size()));
    expect_no_infinity(values);
    for (std::size_t s = 0; s < values.size(); ++s) {
        if (full()) forget(s);
        keep(s, values[s]);
    }
    next_ = next_ + 1 == window_ ? 0 : next_ + 1;
    length_ = std::min(length_ + 1, window_);
}

// Among equal values the oldest stands first, and it is always the oldest that goes.
void SeriesSet::forget(std::size_t series) {
    const double* const ring = ring_.data() + series * 2 * window_;
    const double old = ring[next_];
    if (std::isnan(old)) return;
    std::uint32_t* const first = sorted_.data() + series * window_;
    std::uint32_t* const last = first + seen_[series];
    std::uint32_t* const at =
        std::lower_bound(first, last, old, [&](std::uint32_t slot, double value) { return ring[slot] < value; });
    std::copy(at + 1, last, at);
    --seen_[series];
}

void SeriesSet::keep(std::size_t series, double value) {
    double* const ring = ring_.data() + series * 2 * window_;
    ring[next_] = ring[next_ + window_] = value;
    if (std::isnan(value)) return;
    std::uint32_t* const first = sorted_.data() + series * window_;
    std::uint32_t* const last = first + seen_[series];
    std::uint32_t* const at =
        std::upper_bound(first, last, value, [&](double other, std::uint32_t slot) { return other < ring[slot]; });
    std::copy_backward(at, last, last + 1);
    *at = static_cast<std::uint32_t>(next_);
    ++seen_[series];
}

std::span<const double> SeriesSet::values(index_t series) const {
    if (series < 0 || series >= series_)
        throw InvalidArgument("expected a series 0 … " + std::to_string(series_ - 1) + ", got " +
                              std::to_string(series));
    return {ring_.data() + static_cast<std::size_t>(series) * 2 * window_ + head(), length_};
}

SeriesView SeriesSet::view(index_t series, std::vector<std::int32_t>& order) const {
    const auto values = this->values(series);
    const auto s = static_cast<std::size_t>(series);
    order.resize(seen_[s]);
    for (std::size_t k = 0; k < seen_[s]; ++k) {
        const std::size_t slot = sorted_[s * window_ + k];
        order[k] = static_cast<std::int32_t>(slot >= head() ? slot - head() : slot + window_ - head());
    }
    return {values, order};
}

}  // namespace tiertwin::abstraction
