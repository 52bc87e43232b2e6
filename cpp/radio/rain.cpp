#include "radio/rain.hpp"

#include <array>
#include <cmath>
#include <numbers>
#include <string>

#include "base/error.hpp"

namespace tiertwin::radio {
namespace {

struct Term {
    double a, b, c;
};

// P.838-3, tables 1 to 4.
constexpr std::array<Term, 4> kHorizontalK{{{-5.33980, -0.10008, 1.13098},
                                            {-0.35351, 1.26970, 0.45400},
                                            {-0.23789, 0.86036, 0.15354},
                                            {-0.94158, 0.64552, 0.16817}}};
constexpr std::array<Term, 4> kVerticalK{{{-3.80595, 0.56934, 0.81061},
                                          {-3.44965, -0.22911, 0.51059},
                                          {-0.39902, 0.73042, 0.11899},
                                          {0.50167, 1.07319, 0.27195}}};
constexpr std::array<Term, 5> kHorizontalAlpha{{{-0.14318, 1.82442, -0.55187},
                                                {0.29591, 0.77564, 0.19822},
                                                {0.32177, 0.63773, 0.13164},
                                                {-5.37610, -0.96230, 1.47828},
                                                {16.1721, -3.29980, 3.43990}}};
constexpr std::array<Term, 5> kVerticalAlpha{{{-0.07771, 2.33840, -0.76284},
                                              {0.56727, 0.95545, 0.54039},
                                              {-0.20238, 1.14520, 0.26809},
                                              {-48.2991, 0.791669, 0.116226},
                                              {48.5833, 0.791459, 0.116479}}};

template <std::size_t N>
double curve(const std::array<Term, N>& terms, double slope, double offset, double x) {
    double sum = slope * x + offset;
    for (const Term& t : terms) {
        const double u = (x - t.b) / t.c;
        sum += t.a * std::exp(-u * u);
    }
    return sum;
}

void expect_rain(bool good, const char* wanted, double came) {
    if (!good) throw InvalidArgument(std::string("Expected ") + wanted + ", got " + std::to_string(came));
}

void check(double ghz, double rain) {
    expect_rain(ghz >= 1.0 && ghz <= 1000.0, "a frequency of 1 to 1000 GHz", ghz);
    expect_rain(rain >= 0.0 && std::isfinite(rain), "a rain rate of 0 mm/h or more", rain);
}

double radians(double degrees) { return degrees * std::numbers::pi / 180.0; }

}  // namespace

RainCoefficients rain_coefficients(double ghz, double elevation, double tilt) {
    check(ghz, 0.0);
    const double f = std::log10(ghz);
    const double kh = std::pow(10.0, curve(kHorizontalK, -0.18961, 0.71147, f));
    const double kv = std::pow(10.0, curve(kVerticalK, -0.16398, 0.63297, f));
    const double ah = curve(kHorizontalAlpha, 0.67849, -1.95537, f);
    const double av = curve(kVerticalAlpha, -0.053739, 0.83433, f);
    const double cosine = std::cos(radians(elevation));
    const double mix = cosine * cosine * std::cos(2.0 * radians(tilt));
    const double k = (kh + kv + (kh - kv) * mix) / 2.0;
    return {k, (kh * ah + kv * av + (kh * ah - kv * av) * mix) / (2.0 * k)};
}

double rain_attenuation(double ghz, double rain, double elevation, double tilt) {
    check(ghz, rain);
    const RainCoefficients c = rain_coefficients(ghz, elevation, tilt);
    return c.k * std::pow(rain, c.alpha);
}

double terrestrial_path_factor(double ghz, double rain001, double km, double tilt) {
    check(ghz, rain001);
    expect_rain(km > 0.0 && std::isfinite(km), "a path of more than 0 km", km);
    const double alpha = rain_coefficients(ghz, 0.0, tilt).alpha;
    const double below = 0.477 * std::pow(km, 0.633) * std::pow(rain001, 0.073 * alpha) * std::pow(ghz, 0.123) -
                         10.579 * (1.0 - std::exp(-0.024 * km));
    return below > 0.4 ? 1.0 / below : 2.5;
}

double terrestrial_rain_loss(double ghz, double rain001, double km, double tilt, double percent) {
    expect_rain(percent >= 0.001 && percent <= 1.0, "a share of the time of 0.001 to 1 %", percent);
    const double worst =
        rain_attenuation(ghz, rain001, 0.0, tilt) * terrestrial_path_factor(ghz, rain001, km, tilt) * km;
    const double c0 = ghz >= 10.0 ? 0.12 + 0.4 * std::pow(std::log10(ghz / 10.0), 0.8) : 0.12;
    const double c1 = std::pow(0.07, c0) * std::pow(0.12, 1.0 - c0);
    const double c2 = 0.855 * c0 + 0.546 * (1.0 - c0);
    const double c3 = 0.139 * c0 + 0.043 * (1.0 - c0);
    return worst * c1 * std::pow(percent, -(c2 + c3 * std::log10(percent)));
}

double slant_rain_loss(const SlantPath& path, double ghz, double rain001, double tilt, double percent) {
    check(ghz, rain001);
    expect_rain(path.elevation >= 5.0 && path.elevation <= 90.0, "an elevation of 5 to 90 degrees", path.elevation);
    expect_rain(std::abs(path.latitude) <= 90.0, "a latitude of -90 to 90 degrees", path.latitude);
    expect_rain(percent >= 0.001 && percent <= 5.0, "a share of the time of 0.001 to 5 %", percent);
    const double height = path.rain_height - path.station_height;
    expect_rain(std::isfinite(height), "finite heights", height);
    if (height <= 0.0 || rain001 == 0.0) return 0.0;  // above the rain
    const double sine = std::sin(radians(path.elevation)), cosine = std::cos(radians(path.elevation));
    const double gamma = rain_attenuation(ghz, rain001, path.elevation, tilt);
    const double along = height / sine, ground = along * cosine;
    const double horizontal =
        1.0 / (1.0 + 0.78 * std::sqrt(ground * gamma / ghz) - 0.38 * (1.0 - std::exp(-2.0 * ground)));
    const double zeta = std::atan2(height, ground * horizontal) * 180.0 / std::numbers::pi;
    const double in_rain = zeta > path.elevation ? ground * horizontal / cosine : along;
    const double latitude = std::abs(path.latitude);
    const double chi = latitude < 36.0 ? 36.0 - latitude : 0.0;
    const double vertical = 1.0 / (1.0 + std::sqrt(sine) * (31.0 * (1.0 - std::exp(-path.elevation / (1.0 + chi))) *
                                                                std::sqrt(in_rain * gamma) / (ghz * ghz) -
                                                            0.45));
    const double worst = gamma * in_rain * vertical;
    double beta = 0.0;
    if (percent < 1.0 && latitude < 36.0) {
        beta = -0.005 * (latitude - 36.0);
        if (path.elevation < 25.0) beta += 1.8 - 4.25 * sine;
    }
    const double power = 0.655 + 0.033 * std::log(percent) - 0.045 * std::log(worst) - beta * (1.0 - percent) * sine;
    return worst * std::pow(percent / 0.01, -power);
}

}  // namespace tiertwin::radio
