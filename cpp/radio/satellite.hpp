// Path loss of links to satellites and high platforms, by 3GPP TR 38.811 V15.4 (section 6.6, tables 6.6.1-1
// to 6.6.2-3).
//
//   loss = free space + zenith gas / sin(elevation) + scintillation + (not in sight) clutter; shadowing is drawn by
//   others
//
// Units      frequencies in GHz, distances and heights in m, angles in degrees, losses in dB.
// Range      elevations 0 ... 90 are rounded to the nearest 10 (10 at least) for the tables, as the report prescribes;
//            frequencies below 13 GHz take the columns of the S band, others those of the Ka band. InvalidArgument for
//            what is outside.
// Thread safety  pure functions.
#pragma once

#include <cstdint>
#include <string_view>

namespace tiertwin::radio {

enum class Ground : std::uint8_t { dense_urban, urban, rural };  // suburban counts as rural

[[nodiscard]] Ground ground_of(std::string_view name);  // InvalidArgument names the known ones

[[nodiscard]] double satellite_sight_probability(Ground ground, double elevation);
[[nodiscard]] double satellite_shadowing(Ground ground, double elevation, double ghz, bool in_sight);  // sigma, dB
[[nodiscard]] double satellite_clutter(Ground ground, double elevation, double ghz);  // dB, where not in sight

// Gas and scintillation, dB: `zenith_gas` from ITU-R P.676 at the frequency (0.25 dB at 20 GHz, 0.32 dB at 28 GHz);
// counted from 10 GHz on, and from 1 GHz on below 10 degrees.
[[nodiscard]] double satellite_atmosphere(double elevation, double ghz, double zenith_gas);

// Median path loss, dB.
[[nodiscard]] double satellite_loss(Ground ground, double elevation, double altitude, double ghz, bool in_sight,
                                    double zenith_gas);

[[nodiscard]] double slant_range(double elevation, double altitude);  // m, over a sphere of 6371 km
[[nodiscard]] double orbital_speed(double altitude);                  // m/s, circular

}  // namespace tiertwin::radio
