#include "forecast/conformal.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "base/error.hpp"

namespace tiertwin::forecast {
namespace {

constexpr double kLeastRate = 0.002;  // a level never asks for more than 99.8 %
constexpr double kRounding = 1e-12;   // of the weight: sums of weights that should be equal may differ by so much
constexpr double kInfinity = std::numeric_limits<double>::infinity();

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

ScoreBook::ScoreBook(index_t series, index_t memory, double level, double decay, double gain)
    : memory_(static_cast<std::size_t>(memory)), level_(level), decay_(decay), gain_(gain) {
    if (series < 1 || memory < 1)
        throw InvalidArgument("series, memory: expected at least 1, got " + std::to_string(series) + " and " +
                              std::to_string(memory));
    if (!(level > 0.0 && level < 1.0))
        throw InvalidArgument("level: expected a share in (0, 1), got " + std::to_string(level));
    if (!(decay > 0.0 && decay <= 1.0))
        throw InvalidArgument("decay: expected a share in (0, 1], got " + std::to_string(decay));
    if (!(gain >= 0.0 && std::isfinite(gain)))
        throw InvalidArgument("gain: expected at least 0, got " + std::to_string(gain));
    rate_.assign(static_cast<std::size_t>(series), 1.0 - level);
    scores_.assign(rate_.size() * memory_, std::numeric_limits<double>::quiet_NaN());
}

void ScoreBook::bounds_of(std::size_t s, double& lower, double& upper) const {
    std::vector<std::pair<double, double>> kept;
    kept.reserve(memory_);
    double weight = 1.0;
    const std::size_t known = std::min(pushed_, memory_);
    for (std::size_t age = 0; age < known; ++age, weight *= decay_) {
        const double score = scores_[s * memory_ + (pushed_ - 1 - age) % memory_];
        if (!std::isnan(score)) kept.emplace_back(score, weight);
    }
    const double share = 1.0 - 0.5 * rate_[s];
    upper = weighted_quantile(kept, share);
    for (auto& [score, unused] : kept) score = -score;
    lower = -weighted_quantile(kept, share);
}

void ScoreBook::push(std::span<const double> scores) {
    if (scores.size() != rate_.size())
        throw InvalidArgument("scores: expected " + std::to_string(rate_.size()) + " (one a series), got " +
                              std::to_string(scores.size()));
    for (std::size_t s = 0; s < scores.size(); ++s) {
        scores_[s * memory_ + pushed_ % memory_] = scores[s];
        if (gain_ == 0.0 || std::isnan(scores[s]) || pushed_ == 0) continue;
        double lower = 0.0, upper = 0.0;
        bounds_of(s, lower, upper);  // the newest is not yet counted as pushed
        const double outside = scores[s] < lower || scores[s] > upper ? 1.0 : 0.0;
        rate_[s] = std::clamp(rate_[s] + gain_ * (1.0 - level_ - outside), kLeastRate, 1.0);
    }
    ++pushed_;
}

void ScoreBook::bounds(std::span<double> lower, std::span<double> upper) const {
    if (lower.size() != rate_.size() || upper.size() != rate_.size())
        throw InvalidArgument("expected room for " + std::to_string(rate_.size()) + " bounds");
    for (std::size_t s = 0; s < rate_.size(); ++s) bounds_of(s, lower[s], upper[s]);
}

}  // namespace tiertwin::forecast
