#include "radio/propagation.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <string>

#include "base/error.hpp"
#include "radio/rural.hpp"

namespace tiertwin::radio {
namespace {

constexpr double kLight = 3.0e8;  // m/s; rounded as the report prescribes for breakpoints
constexpr std::array<std::string_view, 4> kNames{"uma", "umi", "rma", "inh"};

struct Limits {
    double nearest, in_sight, hidden;       // m
    double base_low, base_high;             // m
    double user_low, user_high, frequency;  // m, m, GHz
};

constexpr double kAny = std::numeric_limits<double>::infinity();
constexpr std::array<Limits, 4> kLimits{{{10, 5'000, 5'000, 0, kAny, 1.5, 22.5, 100},
                                         {10, 5'000, 5'000, 0, kAny, 1.5, 22.5, 100},
                                         {10, 10'000, 5'000, 10, 150, 1, 10, 30},
                                         {1, 150, 150, 0, kAny, 0, kAny, 100}}};

std::string meters(double value) { return std::to_string(value) + " m"; }

// The words are made only when they are said: most calls are good, and short.
template <typename Wanted, typename Came>
void expect(bool good, Environment environment, Wanted wanted, Came came) {
    if (!good) {
        throw InvalidArgument(std::string(name_of(environment)) + ": expected " + wanted() + ", got " + came());
    }
}

const Limits& limits_of(Environment environment) { return kLimits[static_cast<std::size_t>(environment)]; }

void check_geometry(Environment environment, const Geometry& at) {
    const Limits& limit = limits_of(environment);
    expect(
        at.distance >= 0.0 && std::isfinite(at.distance), environment, [] { return "a distance of 0 m or more"; },
        [&] { return meters(at.distance); });
    expect(
        at.base_height > limit.base_low - 1e-9 && at.base_height <= limit.base_high && std::isfinite(at.base_height),
        environment,
        [&] { return "a base station's height in " + meters(limit.base_low) + " to " + meters(limit.base_high); },
        [&] { return meters(at.base_height); });
    expect(
        at.user_height >= limit.user_low && at.user_height <= limit.user_high && std::isfinite(at.user_height),
        environment, [&] { return "a user's height in " + meters(limit.user_low) + " to " + meters(limit.user_high); },
        [&] { return meters(at.user_height); });
}

void check_frequency(Environment environment, double ghz) {
    const double highest = limits_of(environment).frequency;
    expect(
        ghz >= 0.5 && ghz <= highest, environment,
        [&] {
            return "a frequency of 0.5 to " + std::to_string(highest) +
                   " GHz (above 100 GHz: free space, gas and rain)";
        },
        [&] { return std::to_string(ghz) + " GHz"; });
}

double slant(double ground, const Geometry& at) { return std::hypot(ground, at.base_height - at.user_height); }

// The distance that counts: not below the model's least.
double ground_of(Environment environment, const Geometry& at) {
    return std::max(at.distance, limits_of(environment).nearest);
}

double beyond(double slope, double intercept, double taken, double ground, const Geometry& at, double ghz,
              double limit) {
    const double rise = at.base_height - at.user_height;
    return intercept + slope * std::log10(slant(ground, at)) + 20.0 * std::log10(ghz) -
           taken * std::log10(limit * limit + rise * rise);
}

double urban_in_sight(Environment environment, double ground, const Geometry& at, double ghz, double effective) {
    const bool macro = environment == Environment::uma;
    const double limit = breakpoint(environment, at, ghz, effective);
    const double intercept = macro ? 28.0 : 32.4;
    if (ground <= limit) {
        return intercept + (macro ? 22.0 : 21.0) * std::log10(slant(ground, at)) + 20.0 * std::log10(ghz);
    }
    return beyond(40.0, intercept, macro ? 9.0 : 9.5, ground, at, ghz, limit);
}

double urban_hidden(Environment environment, double ground, const Geometry& at, double ghz) {
    const double d = std::log10(slant(ground, at)), f = std::log10(ghz);
    if (environment == Environment::uma) return 13.54 + 39.08 * d + 20.0 * f - 0.6 * (at.user_height - 1.5);
    return 22.4 + 35.3 * d + 21.3 * f - 0.3 * (at.user_height - 1.5);
}

double rural_near(double d, double ghz) {
    const double power = std::pow(kHouse, 1.72);
    return 20.0 * std::log10(40.0 * std::numbers::pi * d * ghz / 3.0) + std::min(0.03 * power, 10.0) * std::log10(d) -
           std::min(0.044 * power, 14.77) + 0.002 * std::log10(kHouse) * d;
}

double rural_in_sight(double ground, const Geometry& at, double ghz) {
    const double limit = breakpoint(Environment::rma, at, ghz);
    const double d = slant(ground, at);
    return ground <= limit ? rural_near(d, ghz) : rural_near(limit, ghz) + 40.0 * std::log10(d / limit);
}

double rural_hidden(double ground, const Geometry& at, double ghz) {
    const double base = std::log10(at.base_height), user = std::log10(11.75 * at.user_height);
    const double ratio = kHouse / at.base_height;
    return 161.04 - 7.1 * std::log10(kStreet) + 7.5 * std::log10(kHouse) - (24.37 - 3.7 * ratio * ratio) * base +
           (43.42 - 3.1 * base) * (std::log10(slant(ground, at)) - 3.0) + 20.0 * std::log10(ghz) -
           (3.2 * user * user - 4.97);
}

double indoor(const Geometry& at, double ghz, bool in_sight) {
    const double d = std::log10(std::max(slant(at.distance, at), 1.0)), f = std::log10(ghz);
    const double clear = 32.4 + 17.3 * d + 20.0 * f;
    return in_sight ? clear : std::max(clear, 17.3 + 38.3 * d + 24.9 * f);
}

double tall(double user_height) {
    const double above = (user_height - 13.0) / 10.0;
    return above <= 0.0 ? 0.0 : above * std::sqrt(above);
}

// How much height helps at a distance: 1.25 (d / 100)^3 exp(-d / 150).
double helped(double distance) {
    const double u = distance / 100.0;
    return 1.25 * u * u * u * std::exp(-distance / 150.0);
}

}  // namespace

Environment environment_of(std::string_view name) {
    for (std::size_t i = 0; i < kNames.size(); ++i) {
        if (kNames[i] == name) return static_cast<Environment>(i);
    }
    throw InvalidArgument("Expected an environment of uma, umi, rma or inh, got '" + std::string(name) + "'");
}

std::string_view name_of(Environment environment) { return kNames[static_cast<std::size_t>(environment)]; }

double sight_probability(Environment environment, const Geometry& at) {
    check_geometry(environment, at);
    const double d = at.distance;
    switch (environment) {
        case Environment::uma: {
            if (d <= 18.0) return 1.0;
            const double low = 18.0 / d + std::exp(-d / 63.0) * (1.0 - 18.0 / d);
            if (at.user_height <= 13.0) return low;
            return std::min(low * (1.0 + tall(at.user_height) * helped(d)), 1.0);
        }
        case Environment::umi:
            return d <= 18.0 ? 1.0 : 18.0 / d + std::exp(-d / 36.0) * (1.0 - 18.0 / d);
        case Environment::rma:
            return d <= 10.0 ? 1.0 : std::exp(-(d - 10.0) / 1000.0);
        case Environment::inh:
            if (d <= 5.0) return 1.0;
            return d <= 49.0 ? std::exp(-(d - 5.0) / 70.8) : 0.54 * std::exp(-(d - 49.0) / 211.7);
    }
    return 0.0;
}

double breakpoint(Environment environment, const Geometry& at, double ghz, double effective) {
    check_geometry(environment, at);
    check_frequency(environment, ghz);
    if (environment == Environment::inh) return std::numeric_limits<double>::infinity();
    if (environment == Environment::rma) {
        return 2.0 * std::numbers::pi * at.base_height * at.user_height * ghz * 1e9 / kLight;
    }
    expect(
        effective > 0.0 && effective < at.user_height && effective < at.base_height, environment,
        [] { return "surroundings lower than both ends"; }, [&] { return meters(effective); });
    return 4.0 * (at.base_height - effective) * (at.user_height - effective) * ghz * 1e9 / kLight;
}

double path_loss(Environment environment, const Geometry& at, double ghz, bool in_sight, double effective) {
    check_geometry(environment, at);
    check_frequency(environment, ghz);
    const Limits& limit = limits_of(environment);
    const double farthest = in_sight ? limit.in_sight : limit.hidden;
    expect(
        at.distance <= farthest, environment, [&] { return "a distance of at most " + meters(farthest); },
        [&] { return meters(at.distance); });
    if (environment == Environment::inh) return indoor(at, ghz, in_sight);
    const double ground = ground_of(environment, at);
    const bool rural = environment == Environment::rma;
    const double clear =
        rural ? rural_in_sight(ground, at, ghz) : urban_in_sight(environment, ground, at, ghz, effective);
    if (in_sight) return clear;
    return std::max(clear, rural ? rural_hidden(ground, at, ghz) : urban_hidden(environment, ground, at, ghz));
}

double effective_height(const Geometry& at, double uniform) {
    check_geometry(Environment::uma, at);
    if (at.user_height < 13.0) return 1.0;
    const double d = at.distance;
    const double g = d <= 18.0 ? 0.0 : helped(d);
    const double at_ground = 1.0 / (1.0 + tall(at.user_height) * g);
    if (uniform < at_ground) return 1.0;
    const double steps = std::floor((at.user_height - 1.5 - 12.0) / 3.0) + 1.0;  // of 12, 15, ...
    if (steps < 1.0) return 1.0;
    const double drawn = (uniform - at_ground) / (1.0 - at_ground);
    return 12.0 + 3.0 * std::min(std::floor(drawn * steps), steps - 1.0);
}

Shadowing shadowing(Environment environment, const Geometry& at, double ghz, bool in_sight) {
    switch (environment) {
        case Environment::uma:
            return in_sight ? Shadowing{4.0, 37.0} : Shadowing{6.0, 50.0};
        case Environment::umi:
            return in_sight ? Shadowing{4.0, 10.0} : Shadowing{7.82, 13.0};
        case Environment::rma:
            if (!in_sight) return {8.0, 120.0};
            return {at.distance <= breakpoint(environment, at, ghz) ? 4.0 : 6.0, 37.0};
        case Environment::inh:
            return in_sight ? Shadowing{3.0, 10.0} : Shadowing{8.03, 6.0};
    }
    return {};
}

Wall building_wall(double ghz, bool high_loss) {
    if (!(ghz > 0.0 && ghz <= 100.0)) {
        throw InvalidArgument("Expected a frequency of at most 100 GHz, got " + std::to_string(ghz) + " GHz");
    }
    const double concrete = std::pow(10.0, -(5.0 + 4.0 * ghz) / 10.0);
    const double glass = std::pow(10.0, -(high_loss ? 23.0 + 0.3 * ghz : 2.0 + 0.2 * ghz) / 10.0);
    const double passed = high_loss ? 0.7 * glass + 0.3 * concrete : 0.3 * glass + 0.7 * concrete;
    return {5.0 - 10.0 * std::log10(passed), high_loss ? 6.5 : 4.4};
}

double free_space_loss(double distance, double ghz) {
    if (!(distance > 0.0 && ghz > 0.0)) {
        throw InvalidArgument("Expected a distance and a frequency above 0, got " + std::to_string(distance) +
                              " m and " + std::to_string(ghz) + " GHz");
    }
    return 32.45 + 20.0 * std::log10(ghz) + 20.0 * std::log10(distance);
}

}  // namespace tiertwin::radio
