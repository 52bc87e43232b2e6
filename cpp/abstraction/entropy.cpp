#include "abstraction/entropy.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "base/error.hpp"

namespace tiertwin::abstraction {
namespace {

using Rank = std::uint16_t;

// |x_i - x_j| <= r as a test of whole numbers: the rank of x_j lies in the interval of ranks within r of x_i. The
// rounded difference is monotone in x_j, so that this is the same test to the last bit. An unseen value has a rank in
// nobody's interval (kMostWindow < 65 534), and an interval nobody is in.
struct Ranked {
    std::vector<Rank> rank, low, width;
    std::vector<Rank> usable;  // by start: 1 if all its values were seen
    std::int64_t starts = 0;

    Ranked(const SeriesView& series, std::size_t m, double r)
        : rank(series.size(), 0xFFFF), low(series.size(), 0xFFFE), width(series.size(), 0) {
        const auto at = [&](std::size_t k) { return static_cast<std::size_t>(series.order[k]); };
        const auto value = [&](std::size_t k) { return series.values[at(k)]; };
        const std::size_t count = series.order.size();
        std::size_t first = 0, last = 0;
        for (std::size_t k = 0; k < count; ++k) {
            while (value(k) - value(first) > r) ++first;
            while (last + 1 < count && value(last + 1) - value(k) <= r) ++last;
            rank[at(k)] = static_cast<Rank>(k);
            low[at(k)] = static_cast<Rank>(first);
            width[at(k)] = static_cast<Rank>(last - first);
        }
        mark(series, m);
    }

    void mark(const SeriesView& series, std::size_t m) {
        const std::size_t length = series.size();
        usable.assign(length > m ? length - m : 0, 1);
        std::size_t run = 0;
        for (std::size_t i = 0; i < length; ++i) {
            run = std::isnan(series.values[i]) ? 0 : run + 1;
            if (i >= m) usable[i - m] = run > m ? 1 : 0;
        }
        for (const Rank yes : usable) starts += yes;
    }
};

// All pairs (i, i + lag) at once. A lag has fewer than 2^16 pairs, so that 16-bit sums do: eight lanes of SSE2.
template <std::size_t M>
void count_lag(const Ranked& ranked, std::size_t lag, bool complete, Rank* __restrict__ flag, Matches& matches) {
    const std::size_t starts = ranked.usable.size() - lag, flags = starts + M;
    const Rank *const rank = ranked.rank.data() + lag, *const low = ranked.low.data(),
                      *const width = ranked.width.data();
    for (std::size_t i = 0; i < flags; ++i)
        flag[i] = static_cast<Rank>(static_cast<Rank>(rank[i] - low[i]) <= width[i] ? 1 : 0);
    Rank shorter = 0, longer = 0;
    const Rank *const here = ranked.usable.data(), *const there = here + lag;
    const auto count = [&](auto&& counts) {
        for (std::size_t i = 0; i < starts; ++i) {
            Rank match = counts(i);
            for (std::size_t u = 0; u < M; ++u) match = static_cast<Rank>(match & flag[i + u]);
            shorter = static_cast<Rank>(shorter + match);
            longer = static_cast<Rank>(longer + (match & flag[i + M]));
        }
    };
    if (complete) {
        count([](std::size_t) { return Rank{1}; });
    } else {
        count([&](std::size_t i) { return static_cast<Rank>(here[i] & there[i]); });
    }
    matches.shorter += shorter;
    matches.longer += longer;
}

template <std::size_t M>
Matches count_all(const SeriesView& series, double r) {
    const Ranked ranked(series, M, r);
    Matches matches{ranked.starts, 0, 0};
    std::vector<Rank> flag(series.size() + 8);
    for (std::size_t lag = 1; lag < ranked.usable.size(); ++lag)
        count_lag<M>(ranked, lag, series.complete(), flag.data(), matches);
    return matches;
}

}  // namespace

Matches count_matches(const SeriesView& series, index_t m, double r) {
    if (!(r >= 0.0)) throw InvalidArgument("r: expected a distance >= 0, got " + std::to_string(r));
    switch (m) {
        case 1:
            return count_all<1>(series, r);
        case 2:
            return count_all<2>(series, r);
        case 3:
            return count_all<3>(series, r);
        case 4:
            return count_all<4>(series, r);
        default:
            throw InvalidArgument("m: expected a template length 1 … " + std::to_string(kMostTemplate) + ", got " +
                                  std::to_string(m));
    }
}

double entropy_of(const Matches& matches) {
    if (matches.starts < 2) return 0.0;
    const auto starts = static_cast<double>(matches.starts);
    if (matches.longer == 0 || matches.shorter == 0) return std::log(starts * (starts - 1.0) / 2.0);
    if (matches.longer == matches.shorter) return 0.0;  // not -0
    return -std::log(static_cast<double>(matches.longer) / static_cast<double>(matches.shorter));
}

double spread_of(std::span<const double> values) {
    double sum = 0.0, count = 0.0;
    for (const double x : values) {
        if (std::isnan(x)) continue;
        sum += x;
        count += 1.0;
    }
    if (count == 0.0) return 0.0;
    const double mean = sum / count;
    double squares = 0.0;
    for (const double x : values)
        if (!std::isnan(x)) squares += (x - mean) * (x - mean);
    return std::sqrt(squares / count);
}

double sample_entropy(const SeriesView& series, index_t m, double share) {
    if (series.constant()) return 0.0;
    return entropy_of(count_matches(series, m, share * spread_of(series.values)));
}

SlidingEntropy::SlidingEntropy(index_t m) : m_(static_cast<std::size_t>(m)) {
    if (m < 1 || m > kMostTemplate)
        throw InvalidArgument("m: expected a template length 1 … " + std::to_string(kMostTemplate) + ", got " +
                              std::to_string(m));
}

void SlidingEntropy::restart(const SeriesView& window, double r) {
    r_ = r;
    matches_ = count_matches(window, static_cast<index_t>(m_), r);
}

void SlidingEntropy::leave(std::span<const double> window) { add(window, 0, -1); }

void SlidingEntropy::join(std::span<const double> window) { add(window, window.size() - m_ - 1, 1); }

// Pairs of the template at `start` with all others. NaN compares as no match; a start whose last value is unseen is
// none.
void SlidingEntropy::add(std::span<const double> window, std::size_t start, std::int64_t sign) {
    const std::size_t starts = window.size() - m_;
    std::array<double, kMostTemplate + 1> own{};
    for (std::size_t u = 0; u <= m_; ++u) {
        own[u] = window[start + u];
        if (std::isnan(own[u])) return;
    }
    std::int64_t shorter = 0, longer = 0;
    for (std::size_t j = 0; j < starts; ++j) {
        std::int64_t match = window[j + m_] == window[j + m_] ? 1 : 0;
        for (std::size_t u = 0; u < m_; ++u) match &= std::fabs(window[j + u] - own[u]) <= r_ ? 1 : 0;
        shorter += match;
        longer += match & (std::fabs(window[j + m_] - own[m_]) <= r_ ? 1 : 0);
    }
    matches_.starts += sign;  // the template matches itself: one pair too many of each
    matches_.shorter += sign * (shorter - 1);
    matches_.longer += sign * (longer - 1);
}

}  // namespace tiertwin::abstraction
