#include "forecast/smoothing.hpp"

#include <cmath>
#include <limits>
#include <string>

#include "base/error.hpp"

namespace tiertwin::forecast {
namespace {

Gains gains_at(std::span<const double> gains, std::size_t s) {
    const Gains g{gains[4 * s], gains[4 * s + 1], gains[4 * s + 2], gains[4 * s + 3]};
    const auto share = [](double x) { return x >= 0.0 && x <= 1.0; };
    if (!share(g.alpha) || !share(g.delta) || !share(g.omega) || !share(g.phi) || g.phi == 1.0)
        throw InvalidArgument("gains of series " + std::to_string(s) +
                              ": expected alpha, delta, omega in [0, 1] and phi in [0, 1)");
    return g;
}

}  // namespace

DoubleSeason::DoubleSeason(index_t series, index_t day, index_t week)
    : series_(static_cast<std::size_t>(series)),
      day_(static_cast<std::size_t>(day)),
      week_(static_cast<std::size_t>(week)) {
    if (series < 1 || day < 1 || week < day || week % day != 0)
        throw InvalidArgument("expected series >= 1, day >= 1 and a week of whole days, got " + std::to_string(series) +
                              ", " + std::to_string(day) + " and " + std::to_string(week));
    gains_.resize(series_);
    level_.assign(series_, 0.0);
    error_.assign(series_, 0.0);
    daily_.assign(series_ * day_, 0.0);
    weekly_.assign(series_ * week_, 0.0);
}

void DoubleSeason::begin(std::size_t s, std::span<const double> first) {
    double sum = 0.0;
    std::size_t seen = 0;
    for (const double x : first)
        if (!std::isnan(x)) sum += x, ++seen;
    level_[s] = seen > 0 ? sum / static_cast<double>(seen) : 0.0;
    error_[s] = 0.0;
    for (std::size_t k = 0; k < day_; ++k) {
        double of_slot = 0.0;
        std::size_t visits = 0;
        for (std::size_t t = k; t < week_; t += day_)
            if (!std::isnan(first[t])) of_slot += first[t] - level_[s], ++visits;
        daily_[s * day_ + k] = visits > 0 ? of_slot / static_cast<double>(visits) : 0.0;
    }
    for (std::size_t t = 0; t < week_; ++t)
        weekly_[s * week_ + t] = std::isnan(first[t]) ? 0.0 : first[t] - level_[s] - daily_[s * day_ + t % day_];
}

double DoubleSeason::step(std::size_t s, double value) {
    const Gains& g = gains_[s];
    double& d = daily_[s * day_ + clock_ % day_];
    double& w = weekly_[s * week_ + clock_ % week_];
    const double carried = g.phi * error_[s];
    if (std::isnan(value)) {
        error_[s] = carried;
        return value;
    }
    const double e = value - (level_[s] + d + w + carried);
    level_[s] += g.alpha * e;
    d += g.delta * e;
    w += g.omega * e;
    error_[s] = e;
    return e;
}

void DoubleSeason::follow(std::span<const double> history, index_t time, std::span<const double> gains,
                          std::span<double> square) {
    const auto n = static_cast<std::size_t>(time);
    if (time < static_cast<index_t>(week_))
        throw InvalidArgument("history: expected at least " + std::to_string(week_) + " samples (a week), got " +
                              std::to_string(time));
    if (history.size() != series_ * n || gains.size() != 4 * series_ || square.size() != series_)
        throw InvalidArgument("expected a history of " + std::to_string(series_) + " series and four gains each, got " +
                              std::to_string(gains.size()) + " gains");
    for (std::size_t s = 0; s < series_; ++s) gains_[s] = gains_at(gains, s);
    for (std::size_t s = 0; s < series_; ++s) {
        const auto row = history.subspan(s * n, n);
        begin(s, row.first(week_));
        double sum = 0.0;
        std::size_t seen = 0;
        for (clock_ = week_; clock_ < n; ++clock_) {
            const double e = step(s, row[clock_]);
            if (!std::isnan(e)) sum += e * e, ++seen;
        }
        square[s] = seen > 0 ? sum / static_cast<double>(seen) : std::numeric_limits<double>::quiet_NaN();
    }
    clock_ = n;
    begun_ = true;
}

void DoubleSeason::update(std::span<const double> values) {
    if (!begun_) throw InvalidArgument("expected follow(history) before update");
    if (values.size() != series_)
        throw InvalidArgument("values: expected " + std::to_string(series_) + " (one a series), got " +
                              std::to_string(values.size()));
    for (std::size_t s = 0; s < series_; ++s) step(s, values[s]);
    ++clock_;
}

void DoubleSeason::ahead(index_t steps, std::span<double> mean) const {
    if (!begun_) throw InvalidArgument("expected follow(history) before ahead");
    if (steps < 1 || mean.size() != series_ * static_cast<std::size_t>(steps))
        throw InvalidArgument("steps: expected at least 1, got " + std::to_string(steps));
    const auto h = static_cast<std::size_t>(steps);
    for (std::size_t s = 0; s < series_; ++s) {
        double carried = error_[s];
        for (std::size_t k = 0; k < h; ++k) {
            carried *= gains_[s].phi;
            mean[s * h + k] = level_[s] + daily_[s * day_ + (clock_ + k) % day_] +
                              weekly_[s * week_ + (clock_ + k) % week_] + carried;
        }
    }
}

}  // namespace tiertwin::forecast
