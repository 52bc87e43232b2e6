#include "radio/antenna.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

#include "base/error.hpp"

namespace tiertwin::radio {
namespace {

constexpr double kFloor = -30.0;  // dB: sidelobes and scatter fill every null

// std::remainder costs 30 ns; near the circle a turn more or less is the same, exactly.
double wrapped(double degrees) {
    if (std::abs(degrees) <= 180.0) return degrees;
    if (std::abs(degrees) < 540.0) return degrees > 0.0 ? degrees - 360.0 : degrees + 360.0;
    return std::remainder(degrees, 360.0);
}

double parabola(double angle, double width, double depth) {
    const double u = angle / width;
    return std::min(12.0 * u * u, depth);
}

// Power of `count` elements half a wavelength apart, steered off by `error`, relative to their sum; 1 at 0.
double factor(index_t count, double error) {
    const double half = 0.5 * std::numbers::pi * std::sin(error * std::numbers::pi / 180.0);
    const double one = std::sin(half);
    if (std::abs(one) < 1e-12) return 1.0;
    const double ratio = std::sin(static_cast<double>(count) * half) / (static_cast<double>(count) * one);
    return ratio * ratio;
}

void expect_antenna(bool good, const char* wanted, double came) {
    if (!good) throw InvalidArgument(std::string("antenna: expected ") + wanted + ", got " + std::to_string(came));
}

}  // namespace

void check(const Sector& sector) {
    expect_antenna(std::isfinite(sector.azimuth), "a finite azimuth", sector.azimuth);
    expect_antenna(std::abs(sector.tilt) <= 90.0, "a tilt of -90 to 90 degrees", sector.tilt);
    expect_antenna(sector.width > 0.0 && sector.width <= 360.0, "a half-power width of 0 to 360 degrees", sector.width);
    expect_antenna(std::isfinite(sector.peak), "a finite gain", sector.peak);
    expect_antenna(sector.depth >= 0.0, "a depth of 0 dB or more", sector.depth);
}

double sector_gain(const Sector& sector, double azimuth, double elevation) {
    if (sector.every_way) return sector.peak;
    const double across = parabola(wrapped(azimuth - sector.azimuth), sector.width, sector.depth);
    const double along = parabola(elevation + sector.tilt, sector.width, sector.depth);
    return sector.peak - std::min(across + along, sector.depth);
}

double array_gain(index_t rows, index_t columns, double azimuth_error, double elevation_error) {
    expect_antenna(rows >= 1 && rows <= 1024, "1 to 1024 rows", static_cast<double>(rows));
    expect_antenna(columns >= 1 && columns <= 1024, "1 to 1024 columns", static_cast<double>(columns));
    expect_antenna(std::abs(azimuth_error) <= 180.0, "an error of -180 to 180 degrees", azimuth_error);
    expect_antenna(std::abs(elevation_error) <= 90.0, "an error of -90 to 90 degrees", elevation_error);
    const double power = factor(columns, azimuth_error) * factor(rows, elevation_error);
    const double steered = power > 1e-3 ? 10.0 * std::log10(power) : kFloor;
    return 10.0 * std::log10(static_cast<double>(rows * columns)) + steered;
}

}  // namespace tiertwin::radio
