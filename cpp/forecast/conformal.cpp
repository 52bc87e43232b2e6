#include "forecast/conformal.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "base/error.hpp"
#include "base/infinity.hpp"

namespace tiertwin::forecast {
namespace {

constexpr double kLeastRate = 0.002;  // a level never asks for more than 99.8 %
constexpr double kRounding = 1e-12;   // of the weight: sums of weights that should be equal may differ by so much

}  // namespace

double weighted_quantile(std::vector<std::pair<double, double>>& scores_and_weights, double share) {
    std::ranges::sort(scores_and_weights);
    double total = 1.0, below = 0.0;
    for (const auto& [score, weight] : scores_and_weights) total += weight;
    const double needed = share * total - kRounding * total;
    for (const auto& [score, weight] : scores_and_weights) {
        below += weight;
        if (below >= needed) return score;
    }
    return kInfinity;
}

ScoreBook::ScoreBook(index_t series, index_t memory, double level, double decay, double gain, double shared)
    : memory_(static_cast<std::size_t>(memory)), level_(level), decay_(decay), gain_(gain), shared_(shared) {
    if (series < 1 || memory < 1)
        throw InvalidArgument("series, memory: expected at least 1, got " + std::to_string(series) + " and " +
                              std::to_string(memory));
    if (!(level > 0.0 && level < 1.0))
        throw InvalidArgument("level: expected a share in (0, 1), got " + std::to_string(level));
    if (!(decay > 0.0 && decay <= 1.0))
        throw InvalidArgument("decay: expected a share in (0, 1], got " + std::to_string(decay));
    for (const double step : {gain, shared})
        if (!(step >= 0.0 && std::isfinite(step)))
            throw InvalidArgument("gain, shared: expected at least 0, got " + std::to_string(step));
    rate_.assign(static_cast<std::size_t>(series), 1.0 - level);
    scores_.assign(rate_.size() * memory_, std::numeric_limits<double>::quiet_NaN());
}

void ScoreBook::bounds_of(std::size_t s, double& lower, double& upper) const {
    std::vector<std::pair<double, double>> kept;
    kept.reserve(memory_);
    double weight = 1.0, total = 1.0;
    const std::size_t known = std::min(pushed_, memory_);
    for (std::size_t age = 0; age < known; ++age, weight *= decay_) {
        const double score = scores_[s * memory_ + (pushed_ - 1 - age) % memory_];
        if (std::isnan(score)) continue;
        kept.emplace_back(score, weight);
        total += weight;
    }
    // No rate below that for which the farthest score is enough, unless the level itself asks for more.
    const double finite = std::min(2.0 * (1.0 + kRounding) / total, 1.0 - level_);
    const double share = 1.0 - 0.5 * std::max(rate_[s], finite);
    upper = weighted_quantile(kept, share);
    for (auto& [score, unused] : kept) score = -score;
    lower = -weighted_quantile(kept, share);
}

void ScoreBook::adapt(std::span<const double> scores) {
    double all = 0.0, seen = 0.0;
    std::vector<double> outside(scores.size(), 0.0);
    for (std::size_t s = 0; s < scores.size(); ++s) {
        if (std::isnan(scores[s])) continue;
        double lower = 0.0, upper = 0.0;
        bounds_of(s, lower, upper);
        outside[s] = scores[s] < lower || scores[s] > upper ? 1.0 : 0.0;
        all += outside[s];
        seen += 1.0;
    }
    if (seen == 0.0) return;
    const double missed = 1.0 - level_, together = shared_ * (missed - all / seen);
    for (std::size_t s = 0; s < scores.size(); ++s) {
        const double own = std::isnan(scores[s]) ? 0.0 : gain_ * (missed - outside[s]);
        rate_[s] = std::clamp(rate_[s] + own + together, kLeastRate, 1.0);
    }
}

void ScoreBook::push(std::span<const double> scores) {
    if (scores.size() != rate_.size())
        throw InvalidArgument("scores: expected " + std::to_string(rate_.size()) + " (one a series), got " +
                              std::to_string(scores.size()));
    if (pushed_ > 0 && gain_ + shared_ > 0.0) adapt(scores);
    for (std::size_t s = 0; s < scores.size(); ++s) scores_[s * memory_ + pushed_ % memory_] = scores[s];
    ++pushed_;
}

void ScoreBook::bounds(std::span<double> lower, std::span<double> upper) const {
    if (lower.size() != rate_.size() || upper.size() != rate_.size())
        throw InvalidArgument("expected room for " + std::to_string(rate_.size()) + " bounds");
    for (std::size_t s = 0; s < rate_.size(); ++s) bounds_of(s, lower[s], upper[s]);
}

}  // namespace tiertwin::forecast
