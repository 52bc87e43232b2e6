#include "abstraction/worth.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "abstraction/granger.hpp"
#include "abstraction/ranks.hpp"
#include "abstraction/significance.hpp"
#include "base/error.hpp"

namespace tiertwin::abstraction {
namespace {

void expect(bool good, const char* name, const std::string& expected, double came) {
    if (!good) throw InvalidArgument(std::string(name) + ": expected " + expected + ", got " + std::to_string(came));
}

void expect_samples(const char* name, std::span<const double> samples, index_t count) {
    if (static_cast<index_t>(samples.size()) != count)
        throw InvalidArgument(std::string(name) + ": expected " + std::to_string(count) +
                              " (one a zone and series), got " + std::to_string(samples.size()));
    for (std::size_t i = 0; i < samples.size(); ++i)
        if (std::isinf(samples[i]))
            throw InvalidArgument(std::string(name) + "[" + std::to_string(i) +
                                  "]: expected a finite value, or NaN for none, got " + std::to_string(samples[i]));
}

index_t at_least_one(index_t count, const char* what) {
    if (count < 1) throw InvalidArgument(std::string(what) + ": expected at least 1, got " + std::to_string(count));
    return count;
}

// Series of one zone as they are read, and what their orders need to live in.
struct Views {
    std::vector<SeriesView> series;
    std::vector<std::vector<std::int32_t>> orders;

    explicit Views(index_t count) : series(static_cast<std::size_t>(count)), orders(static_cast<std::size_t>(count)) {}
};

// Scores of one zone, written to its place in `scores`.
class ZoneScorer {
  public:
    ZoneScorer(index_t attributes, index_t targets, const WorthOptions& options)
        : values(attributes),
          goals(targets),
          options_(options),
          attributes_(static_cast<std::size_t>(attributes)),
          targets_(static_cast<std::size_t>(targets)),
          ranks_(attributes_) {}

    // `entropies`: of the zone's attributes, already known; empty: to be counted.
    void run(std::size_t zone, std::span<const double> entropies, Scores& scores) {
        complexities(zone * attributes_, entropies, scores);
        for (std::size_t y = 0; y < targets_; ++y) against(y, zone, scores);
        repetitions(scores.redundancy.data() + zone * attributes_ * attributes_);
    }

    Views values, goals;

  private:
    [[nodiscard]] bool known(const SeriesView& series) const {
        return static_cast<index_t>(series.order.size()) >= options_.least;
    }

    void complexities(std::size_t first, std::span<const double> entropies, Scores& scores) {
        double largest = 0.0;
        for (std::size_t a = 0; a < attributes_; ++a) {
            const SeriesView& x = values.series[a];
            scores.seen[first + a] = static_cast<index_t>(x.order.size());
            scores.spread[first + a] = spread_of(x.values);
            if (!known(x)) continue;
            const double entropy =
                entropies.empty() ? sample_entropy(x, options_.template_length, options_.tolerance) : entropies[a];
            scores.entropy[first + a] = entropy;
            largest = std::max(largest, entropy);
        }
        if (!(largest > 0.0)) return;
        for (std::size_t a = 0; a < attributes_; ++a)
            scores.complexity[first + a] = scores.entropy[first + a] / largest;
    }

    void against(std::size_t y, std::size_t zone, Scores& scores) {
        const SeriesView& goal = goals.series[y];
        const std::size_t first = (zone * targets_ + y) * attributes_;
        std::vector<double> adjusted(attributes_, std::numeric_limits<double>::quiet_NaN());
        Regression regression(goal, options_.order);
        LaggedTarget ranked(goal, options_.lags, options_.least);
        for (std::size_t a = 0; a < attributes_; ++a) {
            const SeriesView& x = values.series[a];
            if (!known(x) || !known(goal)) continue;
            const LaggedRank strongest = ranked.strongest(x);
            scores.relevance[first + a] = std::fabs(strongest.rho);
            scores.lag[first + a] = strongest.lag;
            const Gain found = regression.gain(x);
            scores.gain[first + a] = found.gain;
            adjusted[a] = found.p_value;
        }
        adjust_p_values(adjusted);
        for (std::size_t a = 0; a < attributes_; ++a) {
            const bool tested = !std::isnan(adjusted[a]);
            scores.p_value[first + a] = tested ? adjusted[a] : 1.0;
            if (!tested || adjusted[a] > options_.level) scores.gain[first + a] = 0.0;
            if (tested) scores.value[first + a] = value(scores, first + a, zone * attributes_ + a);
        }
    }

    [[nodiscard]] double value(const Scores& scores, std::size_t pair, std::size_t attribute) const {
        const double good = options_.relevance * scores.relevance[pair] + options_.causality * scores.gain[pair];
        const double price = options_.complexity * scores.complexity[attribute];
        return options_.form == Form::quotient ? good / (1.0 + price) : good - price;
    }

    void repetitions(double* matrix) {
        for (std::size_t a = 0; a < attributes_; ++a)
            if (values.series[a].complete()) rank_whole(values.series[a], ranks_[a]);
        for (std::size_t a = 0; a < attributes_; ++a) {
            matrix[a * attributes_ + a] = 1.0;
            for (std::size_t b = a + 1; b < attributes_; ++b)
                matrix[a * attributes_ + b] = matrix[b * attributes_ + a] = repetition(a, b);
        }
    }

    double repetition(std::size_t a, std::size_t b) {
        const SeriesView &x = values.series[a], &y = values.series[b];
        if (!known(x) || !known(y)) return 0.0;
        if (x.complete() && y.complete()) return std::fabs(correlate(ranks_[a], ranks_[b]));
        return std::fabs(scratch_.correlation(x, y, 0, options_.least));
    }

    const WorthOptions& options_;
    std::size_t attributes_, targets_;
    RankScratch scratch_;
    std::vector<CentredRanks> ranks_;
};

}  // namespace

void WorthOptions::check(index_t window) const {
    const auto in = [](double x) { return x >= 0.0 && std::isfinite(x); };
    expect(template_length >= 1 && template_length <= kMostTemplate, "m", "a template length 1 … 4",
           static_cast<double>(template_length));
    expect(in(tolerance), "r", "a tolerance >= 0 in standard deviations", tolerance);
    expect(lags >= 0 && lags < window, "lags", "0 … window - 1", static_cast<double>(lags));
    expect(order >= 1 && order <= 32, "order", "1 … 32 lags", static_cast<double>(order));
    expect(least >= 2, "least", "at least 2 samples", static_cast<double>(least));
    expect(level >= 0.0 && level <= 1.0, "level", "a probability", level);
    expect(in(relevance), "relevance", "a weight >= 0", relevance);
    expect(in(causality), "causality", "a weight >= 0", causality);
    expect(in(complexity), "complexity", "a weight >= 0", complexity);
}

void Scores::resize(std::size_t zones, std::size_t attributes, std::size_t targets) {
    const std::size_t own = zones * attributes, pairs = own * targets;
    for (auto* array : {&spread, &entropy, &complexity}) array->assign(own, 0.0);
    for (auto* array : {&relevance, &gain, &value}) array->assign(pairs, 0.0);
    p_value.assign(pairs, 1.0);
    redundancy.assign(own * attributes, 0.0);
    seen.assign(own, 0);
    lag.assign(pairs, 0);
}

Worth::Worth(index_t zones, index_t attributes, index_t targets, index_t window, const WorthOptions& options,
             bool sliding)
    : zones_(at_least_one(zones, "zones")),
      attributes_(at_least_one(attributes, "attributes")),
      targets_(at_least_one(targets, "targets")),
      options_(options),
      values_(zones * attributes, window),
      goals_(zones * targets, window) {
    options.check(window);
    if (!sliding) return;
    if (window <= options.template_length + 1)
        throw InvalidArgument("window: expected more than m + 1 = " + std::to_string(options.template_length + 1) +
                              " samples, got " + std::to_string(window));
    entropy_.assign(static_cast<std::size_t>(zones * attributes), SlidingEntropy(options.template_length));
}

void Worth::push(std::span<const double> values, std::span<const double> targets) {
    expect_samples("values", values, values_.series());
    expect_samples("targets", targets, goals_.series());
    const bool follow = sliding() && values_.full();
    if (follow)
        for (index_t s = 0; s < values_.series(); ++s)
            if (!renews(s)) entropy_[static_cast<std::size_t>(s)].leave(values_.values(s));
    values_.push(values);
    goals_.push(targets);
    if (sliding() && values_.full()) {
        for (index_t s = 0; s < values_.series(); ++s) {
            if (follow && !renews(s)) {
                entropy_[static_cast<std::size_t>(s)].join(values_.values(s));
            } else {
                restart(s);
            }
        }
    }
    ++pushed_;
}

// Each series has its own turn in every window, so that no push pays for all of them.
bool Worth::renews(index_t series) const { return (pushed_ + series) % values_.window() == 0; }

void Worth::restart(index_t series) {
    const SeriesView window = values_.view(series, order_);
    entropy_[static_cast<std::size_t>(series)].restart(window, options_.tolerance * spread_of(window.values));
}

Scores Worth::score(std::span<const index_t> zones) const {
    Scores scores;
    scores.resize(zones.size(), static_cast<std::size_t>(attributes_), static_cast<std::size_t>(targets_));
    ZoneScorer scorer(attributes_, targets_, options_);
    std::vector<double> entropies;
    for (std::size_t k = 0; k < zones.size(); ++k) {
        const index_t zone = zones[k];
        if (zone < 0 || zone >= zones_)
            throw NotFound("zone " + std::to_string(zone) + ": expected 0 … " + std::to_string(zones_ - 1));
        entropies.clear();
        for (index_t a = 0; a < attributes_; ++a) {
            const auto place = static_cast<std::size_t>(a);
            const index_t series = zone * attributes_ + a;
            const SeriesView view = scorer.values.series[place] = values_.view(series, scorer.values.orders[place]);
            if (sliding() && values_.full())
                entropies.push_back(view.constant() ? 0.0
                                                    : entropy_of(entropy_[static_cast<std::size_t>(series)].matches()));
        }
        for (index_t y = 0; y < targets_; ++y) {
            const auto place = static_cast<std::size_t>(y);
            scorer.goals.series[place] = goals_.view(zone * targets_ + y, scorer.goals.orders[place]);
        }
        scorer.run(k, entropies, scores);
    }
    return scores;
}

Scores score_windows(index_t zones, index_t attributes, index_t targets, index_t window, std::span<const double> values,
                     std::span<const double> goals, const WorthOptions& options) {
    options.check(window);
    const auto length = static_cast<std::size_t>(window);
    Scores scores;
    scores.resize(static_cast<std::size_t>(zones), static_cast<std::size_t>(attributes),
                  static_cast<std::size_t>(targets));
    ZoneScorer scorer(attributes, targets, options);
    const auto fill = [&](Views& views, std::span<const double> all, std::size_t zone) {
        for (std::size_t s = 0; s < views.series.size(); ++s) {
            const auto x = all.subspan((zone * views.series.size() + s) * length, length);
            order_of(x, views.orders[s]);
            views.series[s] = {x, views.orders[s]};
        }
    };
    for (std::size_t zone = 0; zone < static_cast<std::size_t>(zones); ++zone) {
        fill(scorer.values, values, zone);
        fill(scorer.goals, goals, zone);
        scorer.run(zone, {}, scores);
    }
    return scores;
}

}  // namespace tiertwin::abstraction
