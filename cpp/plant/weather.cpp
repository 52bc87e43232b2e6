#include "plant/weather.hpp"

#include <string>
#include <tuple>

#include "base/error.hpp"
#include "plant/event_tree.hpp"
#include "plant/expect.hpp"
#include "radio/backhaul.hpp"
#include "radio/rain.hpp"

namespace tiertwin::plant {

void WeatherConfig::validate() const {
    rain.validate();
    expect("period_s", period_s, 0.001, 1e6);
    expect("hysteresis_db", hysteresis_db, 0.0, 100.0);
    if (top.size() != link.size()) {
        throw InvalidArgument("top: expected " + std::to_string(link.size()) +
                              " values (one per microwave link), got " + std::to_string(top.size()));
    }
    for (const auto& [name, values, low, high] : {std::tuple{"x0", &x0, -1e5, 1e5},
                                                  {"y0", &y0, -1e5, 1e5},
                                                  {"x1", &x1, -1e5, 1e5},
                                                  {"y1", &y1, -1e5, 1e5},
                                                  {"ghz", &ghz, 1.0, 1000.0},
                                                  {"tilt", &tilt, 0.0, 90.0},
                                                  {"margin_db", &margin_db, 0.0, 200.0}}) {
        if (values->size() != link.size()) {
            throw InvalidArgument(std::string(name) + ": expected " + std::to_string(link.size()) +
                                  " values (one per microwave link), got " + std::to_string(values->size()));
        }
        for (std::size_t i = 0; i < values->size(); ++i)
            expect(std::string(name) + "[" + std::to_string(i) + "]", (*values)[i], low, high);
    }
    for (std::size_t i = 0; i < link.size(); ++i) {
        static_cast<void>(radio::needed_snr(static_cast<int>(std::min<std::int64_t>(top[i], 1000))));
        expect("margin_db[" + std::to_string(i) +
                   "] (at least the hysteresis, or clear sky would not bring the link back)",
               margin_db[i], hysteresis_db, 200.0);
        if (link[i] < 0 || (i > 0 && link[i] <= link[i - 1])) {
            throw InvalidArgument("link[" + std::to_string(i) + "]: expected links of at least 0 in ascending order, " +
                                  "got " + std::to_string(link[i]));
        }
    }
}

Weather::Weather(WeatherConfig config, const Chance& chance)
    : config_((config.validate(), std::move(config))), rain_(config_.rain, chance), period_(0), next_(0) {
    period_ = next_ = whole_ns(config_.period_s);
    loss_db_.resize(config_.link.size());
    for (std::size_t i = 0; i < config_.link.size(); ++i) {
        const radio::RainCoefficients c = radio::rain_coefficients(config_.ghz[i], 0.0, config_.tilt[i]);
        paths_.push_back({config_.x0[i], config_.y0[i], config_.x1[i], config_.y1[i], c.k, c.alpha});
        bits_.push_back(static_cast<int>(config_.top[i]));
    }
    look();
}

void Weather::step() {
    rain_.advance(next_);
    next_ += period_;
    ++steps_;
    look();
}

void Weather::look() {
    for (std::size_t i = 0; i < paths_.size(); ++i) {
        const int top = static_cast<int>(config_.top[i]);
        loss_db_[i] = rain_.loss(paths_[i]);
        const double snr = radio::needed_snr(top) + config_.margin_db[i] - loss_db_[i];
        bits_[i] = radio::next_step(bits_[i], snr, top, config_.hysteresis_db);
    }
}

}  // namespace tiertwin::plant
