// Weather on microwave links: every `period` the rain field moves, each link's path loss follows, and with it the step
// of its adaptive modulation (radio/backhaul.hpp).
//
//   SNR(t) = needed_snr(top) + margin - loss of the path        margin: what is left over the densest step in clear sky
//   rate   = bits / top of the link's capacity; 0 bits: outage
//
// Both directions of a link see the same rain. Costs and thread safety as of the rain field.
#pragma once

#include <vector>

#include "base/types.hpp"
#include "plant/chance.hpp"
#include "plant/rain_field.hpp"

namespace tiertwin::plant {

struct WeatherConfig {
    RainConfig rain;
    double period_s = 10, hysteresis_db = 1;
    // One a microwave link: undirected link, ends in km, GHz, tilt of the polarisation (0 horizontal, 90 vertical)
    // degrees, margin dB, bits of its densest step.
    std::vector<std::int64_t> link, top;
    std::vector<double> x0, y0, x1, y1, ghz, tilt, margin_db;

    // Throws InvalidArgument naming field, index, value and what was expected.
    void validate() const;
};

class Weather {
  public:
    Weather(WeatherConfig config, const Chance& chance);  // as it is at time 0

    [[nodiscard]] Time next() const { return next_; }
    void step();  // to next()

    [[nodiscard]] index_t links() const { return static_cast<index_t>(config_.link.size()); }
    [[nodiscard]] const WeatherConfig& config() const { return config_; }
    [[nodiscard]] const std::vector<double>& loss_db() const { return loss_db_; }
    [[nodiscard]] const std::vector<int>& bits() const { return bits_; }
    [[nodiscard]] std::uint32_t steps() const { return steps_; }

  private:
    void look();

    WeatherConfig config_;
    RainField rain_;
    Time period_, next_;
    std::uint32_t steps_ = 0;
    std::vector<PathOfRain> paths_;
    std::vector<double> loss_db_;
    std::vector<int> bits_;
};

}  // namespace tiertwin::plant
