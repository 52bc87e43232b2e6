#include "radio/satellite.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <string>

#include "base/error.hpp"
#include "radio/propagation.hpp"

namespace tiertwin::radio {
namespace {

constexpr double kEarth = 6'371'000.0;       // m
constexpr double kGravity = 3.986004418e14;  // m^3/s^2
constexpr double kKaBand = 13.0;             // GHz: from here on
constexpr double kUrbanSigmaSight = 4.0, kUrbanSigmaHidden = 6.0;

struct Sigma {
    double sight, hidden;
};
struct Row {  // one elevation
    std::array<double, 3> sight;
    Sigma dense_s, dense_ka;
    double urban_clutter_s, urban_clutter_ka;
    Sigma rural_s, rural_ka;
    double rural_clutter_s, rural_clutter_ka;
    double tropospheric;  // dB, exceeded in 1 % of the time at 20 GHz
};

constexpr std::array<Row, 9> kRows{
    {{{0.282, 0.246, 0.782}, {3.5, 15.5}, {2.9, 17.1}, 34.3, 44.3, {1.79, 8.93}, {1.9, 10.7}, 19.52, 29.5, 1.08},
     {{0.331, 0.386, 0.869}, {3.4, 13.9}, {2.4, 17.1}, 30.9, 39.9, {1.14, 9.08}, {1.6, 10.0}, 18.17, 24.6, 0.48},
     {{0.398, 0.493, 0.919}, {2.9, 12.4}, {2.7, 15.6}, 29.0, 37.5, {1.14, 8.78}, {1.9, 11.2}, 18.42, 21.9, 0.30},
     {{0.468, 0.613, 0.929}, {3.0, 11.7}, {2.4, 14.6}, 27.7, 35.8, {0.92, 10.25}, {2.3, 11.6}, 18.28, 20.0, 0.22},
     {{0.537, 0.726, 0.935}, {3.1, 10.6}, {2.4, 14.2}, 26.8, 34.6, {1.42, 10.56}, {2.7, 11.8}, 18.63, 18.7, 0.17},
     {{0.612, 0.805, 0.940}, {2.7, 10.5}, {2.7, 12.6}, 26.2, 33.8, {1.56, 10.74}, {3.1, 10.8}, 17.68, 17.8, 0.13},
     {{0.738, 0.919, 0.949}, {2.5, 10.1}, {2.6, 12.1}, 25.8, 33.3, {0.85, 10.17}, {3.0, 10.8}, 16.5, 17.2, 0.12},
     {{0.820, 0.968, 0.952}, {2.3, 9.2}, {2.8, 12.3}, 25.5, 33.0, {0.72, 11.52}, {3.6, 10.8}, 16.3, 16.9, 0.12},
     {{0.981, 0.992, 0.998}, {1.2, 9.2}, {0.6, 12.3}, 25.5, 32.9, {0.72, 11.52}, {0.4, 10.8}, 16.3, 16.8, 0.12}}};

const Row& row_of(double elevation) {
    if (!(elevation >= 0.0 && elevation <= 90.0)) {
        throw InvalidArgument("Expected an elevation of 0 to 90 degrees, got " + std::to_string(elevation));
    }
    return kRows[static_cast<std::size_t>(std::clamp(std::round(elevation / 10.0), 1.0, 9.0)) - 1];
}

bool ka_band(double ghz) {
    if (!(ghz > 0.0 && std::isfinite(ghz))) {
        throw InvalidArgument("Expected a frequency above 0 GHz, got " + std::to_string(ghz));
    }
    return ghz >= kKaBand;
}

double sine(double degrees) { return std::sin(degrees * std::numbers::pi / 180.0); }

void check_altitude(double altitude) {
    if (!(altitude > 0.0 && std::isfinite(altitude))) {
        throw InvalidArgument("Expected an altitude above 0 m, got " + std::to_string(altitude));
    }
}

}  // namespace

Ground ground_of(std::string_view name) {
    static constexpr std::array<std::string_view, 3> kNames{"dense_urban", "urban", "rural"};
    const auto* found = std::find(kNames.begin(), kNames.end(), name);
    if (found == kNames.end()) {
        throw InvalidArgument("Expected dense_urban, urban or rural, got '" + std::string(name) + "'");
    }
    return static_cast<Ground>(found - kNames.begin());
}

double satellite_sight_probability(Ground ground, double elevation) {
    return row_of(elevation).sight[static_cast<std::size_t>(ground)];
}

double satellite_shadowing(Ground ground, double elevation, double ghz, bool in_sight) {
    const Row& row = row_of(elevation);
    const bool ka = ka_band(ghz);
    Sigma sigma{kUrbanSigmaSight, kUrbanSigmaHidden};
    if (ground == Ground::dense_urban) sigma = ka ? row.dense_ka : row.dense_s;
    if (ground == Ground::rural) sigma = ka ? row.rural_ka : row.rural_s;
    return in_sight ? sigma.sight : sigma.hidden;
}

double satellite_clutter(Ground ground, double elevation, double ghz) {
    const Row& row = row_of(elevation);
    if (ground == Ground::rural) return ka_band(ghz) ? row.rural_clutter_ka : row.rural_clutter_s;
    return ka_band(ghz) ? row.urban_clutter_ka : row.urban_clutter_s;
}

double satellite_atmosphere(double elevation, double ghz, double zenith_gas) {
    const Row& row = row_of(elevation);
    (void)ka_band(ghz);
    if (!(zenith_gas >= 0.0 && std::isfinite(zenith_gas))) {
        throw InvalidArgument("Expected a zenith loss of 0 dB or more, got " + std::to_string(zenith_gas));
    }
    const bool gas = ghz >= 10.0 || (ghz > 1.0 && elevation < 10.0);
    const double scintillation = ghz < 6.0 ? 6.22 / std::pow(ghz, 1.5) : row.tropospheric;
    return (gas ? zenith_gas / sine(std::max(elevation, 1.0)) : 0.0) + scintillation;
}

double satellite_loss(Ground ground, double elevation, double altitude, double ghz, bool in_sight, double zenith_gas) {
    return free_space_loss(slant_range(elevation, altitude), ghz) + satellite_atmosphere(elevation, ghz, zenith_gas) +
           (in_sight ? 0.0 : satellite_clutter(ground, elevation, ghz));
}

double slant_range(double elevation, double altitude) {
    (void)row_of(elevation);
    check_altitude(altitude);
    const double up = kEarth * sine(elevation);
    return std::sqrt(up * up + altitude * altitude + 2.0 * altitude * kEarth) - up;
}

double orbital_speed(double altitude) {
    check_altitude(altitude);
    return std::sqrt(kGravity / (kEarth + altitude));
}

}  // namespace tiertwin::radio
