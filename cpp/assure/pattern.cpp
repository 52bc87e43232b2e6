#include "assure/pattern.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "assure/checks.hpp"
#include "base/error.hpp"

namespace tiertwin::assure {

void check(const PatternOptions& options) {
    expect_at_least("pattern window", options.window, 0);
    expect_at_least("pattern bins", options.bins, 3);
    if (options.bins % 2 == 0)
        throw InvalidArgument("pattern bins: expected an odd number, got " + std::to_string(options.bins));
    expect_at_least("pattern most", options.most, 1);
    expect_at_least("pattern warm", options.warm, options.window);
    expect_within("pattern level", options.level, 1e-300, 1.0);
    expect_positive("pattern cap", options.cap);
}

double rarity_of_chi2(double x, index_t degrees) {
    if (!std::isfinite(x)) return x > 0.0 ? x : 0.0;
    const double half = 0.5 * std::max(x, 0.0);
    double term = 1.0, sum = 1.0;
    for (index_t k = 1; k < degrees / 2; ++k) {
        term *= half / static_cast<double>(k);
        sum += term;
    }
    return (half - std::log(sum)) / std::log(10.0);
}

Pattern::Pattern(const PatternOptions& options) {
    ring_.assign(static_cast<std::size_t>(options.window), 0.0);
    counts_.assign(static_cast<std::size_t>(options.bins), 0.0);
    const Mix empty{counts_, counts_, 0.0};
    mixes_.assign(options.window > 0 ? static_cast<std::size_t>(options.most) : 0, empty);  // met 0: free
}

double Pattern::push(double value, const PatternOptions& options) {
    if (ring_.empty()) return 0.0;
    least_ = seen_ == 0 ? value : std::min(least_, value);
    largest_ = seen_ == 0 ? value : std::max(largest_, value);
    ring_[static_cast<std::size_t>(seen_++ % options.window)] = value;
    if (++since_ < options.window || seen_ <= options.warm || !(largest_ > least_)) return 0.0;
    if (!ready_ || value < low_ || value > high_) widen(least_, largest_, options);
    std::ranges::fill(counts_, 0.0);
    for (const double x : ring_) counts_[bin_of(x, counts_.size())] += 1.0;
    std::size_t place = 0;
    const double rare = rarity_of_chi2(nearest(place), options.bins - 1);
    if (mixes_[place].met > 0.0 && rare < -std::log10(options.level)) {
        mixes_[place].met += 1.0;
        return 0.0;
    }
    const bool first = mixes_.front().met == 0.0;
    remember(options);
    return first ? 0.0 : std::min(rare, options.cap);
}

std::size_t Pattern::bin_of(double value, std::size_t bins) const {
    const double place = (value - low_) / ((high_ - low_) / static_cast<double>(bins));
    return std::min(static_cast<std::size_t>(std::max(place, 0.0)), bins - 1);
}

void Pattern::widen(double low, double high, const PatternOptions& options) {
    const double before_low = low_, width = (high_ - low_) / static_cast<double>(options.bins);
    low_ = low;
    high_ = high;
    if (ready_) {
        for (Mix& mix : mixes_) {
            std::vector<double> moved(mix.share.size(), 0.0);
            for (std::size_t k = 0; k < moved.size(); ++k)
                moved[bin_of(before_low + (static_cast<double>(k) + 0.5) * width, moved.size())] += mix.share[k];
            mix.share = moved;
            std::ranges::transform(moved, mix.ln.begin(), [](double share) { return std::log(share); });
        }
    }
    ready_ = true;
}

double Pattern::nearest(std::size_t& place) const {
    double least = std::numeric_limits<double>::infinity(), own = 0.0;
    const auto window = static_cast<double>(ring_.size());
    for (const double count : counts_)
        if (count > 0.0) own += count * std::log(count / window);
    for (std::size_t j = 0; j < mixes_.size() && mixes_[j].met > 0.0; ++j) {
        double g = own;
        for (std::size_t k = 0; k < counts_.size(); ++k)
            if (counts_[k] > 0.0) g -= counts_[k] * mixes_[j].ln[k];
        if (2.0 * g < least) {
            least = 2.0 * g;
            place = j;
        }
    }
    return least;
}

void Pattern::remember(const PatternOptions& options) {
    Mix& mix = *std::ranges::min_element(mixes_, {}, &Mix::met);  // the first free one, if any
    mix.met = 1.0;
    for (std::size_t k = 0; k < counts_.size(); ++k) {
        mix.share[k] = counts_[k] / static_cast<double>(options.window);
        mix.ln[k] = std::log(mix.share[k]);
    }
}

std::size_t Pattern::bytes() const {
    std::size_t doubles = ring_.capacity() + counts_.capacity();
    for (const Mix& mix : mixes_) doubles += mix.share.capacity() + mix.ln.capacity();
    return 8 * doubles + sizeof(Mix) * mixes_.capacity();
}

}  // namespace tiertwin::assure
