#include "abstraction/ranks.hpp"

#include <algorithm>
#include <cmath>

namespace tiertwin::abstraction {
namespace {

// Average ranks of the places that `pair_of` maps to a pair (others: -1), doubled and centred: a group of equal values
// at the ranks p … q has p + q - (n + 1).
template <typename PairOf>
void rank_part(const SeriesView& series, std::int32_t pairs, CentredRanks& into, PairOf&& pair_of) {
    into.squares = 0.0;
    const auto& order = series.order;
    const auto value = [&](std::size_t k) { return series.values[static_cast<std::size_t>(order[k])]; };
    std::int32_t rank = 1;
    for (std::size_t k = 0; k < order.size();) {
        std::int32_t taken = 0;
        std::size_t end = k;
        for (const double x = value(k); end < order.size() && value(end) == x; ++end)
            taken += pair_of(order[end]) >= 0 ? 1 : 0;
        const std::int32_t centred = 2 * rank + taken - 1 - (pairs + 1);
        for (; k < end; ++k) {
            const std::int32_t pair = pair_of(order[k]);
            if (pair >= 0) into.values[static_cast<std::size_t>(pair)] = static_cast<double>(centred);
        }
        into.squares += static_cast<double>(taken) * static_cast<double>(centred) * static_cast<double>(centred);
        rank += taken;
    }
}

}  // namespace

void rank_whole(const SeriesView& series, CentredRanks& into) {
    into.values.resize(series.size());
    rank_part(series, static_cast<std::int32_t>(series.size()), into, [](std::int32_t place) { return place; });
}

// Four sums at a time: exact, and so the same in any order.
double correlate(const CentredRanks& a, const CentredRanks& b) {
    if (!(a.squares > 0.0) || !(b.squares > 0.0)) return 0.0;
    const double *const x = a.values.data(), *const y = b.values.data();
    const std::size_t count = a.values.size();
    double sum[4] = {0.0, 0.0, 0.0, 0.0};
    std::size_t i = 0;
    for (; i + 4 <= count; i += 4)
        for (std::size_t u = 0; u < 4; ++u) sum[u] += x[i + u] * y[i + u];
    for (; i < count; ++i) sum[0] += x[i] * y[i];
    return ((sum[0] + sum[1]) + (sum[2] + sum[3])) / std::sqrt(a.squares * b.squares);
}

double RankScratch::correlation(const SeriesView& x, const SeriesView& y, std::size_t lag, index_t least) {
    if (lag >= x.size()) return 0.0;
    const auto places = static_cast<std::int32_t>(x.size() - lag), shift = static_cast<std::int32_t>(lag);
    std::int32_t pairs = places;
    const bool complete = x.complete() && y.complete();
    const auto both = [&](std::int32_t place) {  // of x
        return !std::isnan(x.values[static_cast<std::size_t>(place)]) &&
               !std::isnan(y.values[static_cast<std::size_t>(place + shift)]);
    };
    if (!complete) {
        pairs = 0;
        for (std::int32_t place = 0; place < places; ++place) pairs += both(place) ? 1 : 0;
    }
    if (pairs < least || pairs < 2) return 0.0;
    x_.values.assign(static_cast<std::size_t>(places), 0.0);  // a pair that is none adds nothing
    y_.values.assign(static_cast<std::size_t>(places), 0.0);
    if (complete) {
        rank_part(x, pairs, x_, [=](std::int32_t place) { return place < places ? place : -1; });
        rank_part(y, pairs, y_, [=](std::int32_t place) { return place - shift; });
    } else {
        rank_part(x, pairs, x_, [&](std::int32_t place) { return place < places && both(place) ? place : -1; });
        rank_part(y, pairs, y_,
                  [&](std::int32_t place) { return place >= shift && both(place - shift) ? place - shift : -1; });
    }
    return correlate(x_, y_);
}

LaggedTarget::LaggedTarget(const SeriesView& y, index_t lags, index_t least) : y_(y), lags_(lags), least_(least) {
    if (!y.complete()) return;
    const auto size = static_cast<index_t>(y.size());
    for (index_t lag = 0; lag <= std::min(lags, size - 1); ++lag) {
        CentredRanks& tail = tails_.emplace_back();
        tail.values.resize(static_cast<std::size_t>(size - lag));
        const auto shift = static_cast<std::int32_t>(lag);
        rank_part(y, static_cast<std::int32_t>(size) - shift, tail, [=](std::int32_t place) { return place - shift; });
    }
}

LaggedRank LaggedTarget::strongest(const SeriesView& x) {
    LaggedRank best;
    const bool complete = x.complete() && y_.complete();
    for (index_t lag = 0; lag <= lags_; ++lag) {
        const auto at = static_cast<std::size_t>(lag);
        double rho = 0.0;
        if (!complete) {
            rho = scratch_.correlation(x, y_, at, least_);
        } else if (at < tails_.size() &&
                   static_cast<index_t>(tails_[at].values.size()) >= std::max<index_t>(least_, 2)) {
            const auto pairs = static_cast<std::int32_t>(tails_[at].values.size());
            head_.values.resize(tails_[at].values.size());
            rank_part(x, pairs, head_, [=](std::int32_t place) { return place < pairs ? place : -1; });
            rho = correlate(head_, tails_[at]);
        }
        if (std::fabs(rho) > std::fabs(best.rho)) best = {rho, lag};
    }
    return best;
}

}  // namespace tiertwin::abstraction
