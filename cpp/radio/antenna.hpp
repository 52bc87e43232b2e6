// Gains of sector and array antennas, dBi.
//
//   sector  TR 38.901 table 7.3-1: parabolas of 65 degrees half-power width, 30 dB deep at most, 8 dBi at the peak
//   array   rows x columns elements half a wavelength apart, steered with an error: 10 lg N + array factor, not below
//   -30
//
// Units      degrees; azimuths clockwise from north, elevations above the horizon (a tilt is below it).
// Range      any angles (azimuths are wrapped); InvalidArgument for widths, counts or depths that no antenna has.
// Thread safety  pure functions.
#pragma once

#include "base/types.hpp"

namespace tiertwin::radio {

struct Sector {
    double azimuth = 0.0;
    double tilt = 0.0;
    double width = 65.0;     // half power, both planes
    double peak = 8.0;       // dBi
    double depth = 30.0;     // dB below the peak at most
    bool every_way = false;  // no pattern at all: `peak` in every direction
};
void check(const Sector& sector);  // InvalidArgument

// Towards (azimuth, elevation) as seen from the antenna.
[[nodiscard]] double sector_gain(const Sector& sector, double azimuth, double elevation);

// Of an array steered off its target by these errors.
[[nodiscard]] double array_gain(index_t rows, index_t columns, double azimuth_error, double elevation_error);

}  // namespace tiertwin::radio
