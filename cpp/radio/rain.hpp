// Rain on radio links: ITU-R P.838-3 (specific attenuation), P.530-17 (terrestrial paths), P.618-13 (slant paths).
//
// P.530 and P.618 are statistics of an average year; below a few km the path factor of P.530 exceeds 1. For an instant
// of rain use rain_attenuation() times the length inside the rain.
//
// Units      frequencies in GHz, rain rates in mm/h, lengths and heights in km, angles in degrees, losses in dB.
// Range      1 ... 1000 GHz; InvalidArgument for anything negative or not finite, naming what came.
// Thread safety  pure functions.
#pragma once

namespace tiertwin::radio {

// gamma = k R^alpha, dB/km.
struct RainCoefficients {
    double k = 0.0;
    double alpha = 0.0;
};
// `tilt`: of the polarisation against the horizontal (0 horizontal, 90 vertical, 45 circular).
[[nodiscard]] RainCoefficients rain_coefficients(double ghz, double elevation, double tilt);
[[nodiscard]] double rain_attenuation(double ghz, double rain, double elevation, double tilt);  // dB/km

// Terrestrial, P.530-17: factor of the path (at most 2.5), the loss exceeded in 0.01 % of an average year, and in p %.
[[nodiscard]] double terrestrial_path_factor(double ghz, double rain001, double km, double tilt);
[[nodiscard]] double terrestrial_rain_loss(double ghz, double rain001, double km, double tilt, double percent = 0.01);

// A slant path: elevation (5 degrees or more), heights above the sea of the rain and of the station, latitude.
struct SlantPath {
    double elevation = 90.0;
    double rain_height = 0.0;
    double station_height = 0.0;
    double latitude = 0.0;
};
// P.618-13: loss exceeded in p % (0.001 ... 5) of an average year; `rain001` is the rain rate exceeded in 0.01 %.
[[nodiscard]] double slant_rain_loss(const SlantPath& path, double ghz, double rain001, double tilt,
                                     double percent = 0.01);

}  // namespace tiertwin::radio
