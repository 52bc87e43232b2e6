#include "radio/base_station.hpp"

#include <array>
#include <string>

#include "base/error.hpp"

namespace tiertwin::radio {
namespace {

constexpr std::array<BaseStation, 5> kStations{{{"macro", 6, 130.0, 4.7, 20.0, 75.0},
                                                {"rrh", 6, 84.0, 2.8, 20.0, 56.0},
                                                {"micro", 2, 56.0, 2.6, 6.3, 39.0},
                                                {"pico", 2, 6.8, 4.0, 0.13, 4.3},
                                                {"femto", 2, 4.8, 8.0, 0.05, 2.9}}};

}  // namespace

const BaseStation& base_station(std::string_view name) {
    for (const BaseStation& station : kStations) {
        if (station.name == name) return station;
    }
    throw InvalidArgument("base station: expected macro, rrh, micro, pico or femto, got '" + std::string(name) + "'");
}

const BaseStation& base_station(std::ptrdiff_t place) {
    if (place >= 0 && place < static_cast<std::ptrdiff_t>(kStations.size()))
        return kStations[static_cast<std::size_t>(place)];
    throw InvalidArgument("base station: expected 0 (macro), 1 (rrh), 2 (micro), 3 (pico) or 4 (femto), got " +
                          std::to_string(place));
}

double station_power(const BaseStation& station, double load) {
    if (!(load >= 0.0 && load <= 1.0))
        throw InvalidArgument("load of a base station: expected 0 to 1, got " + std::to_string(load));
    return station.chains * (station.awake_w + station.slope * station.most_w * load);
}

double sleeping_power(const BaseStation& station) { return station.chains * station.asleep_w; }

}  // namespace tiertwin::radio
