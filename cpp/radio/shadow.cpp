#include "radio/shadow.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/random.hpp"

namespace tiertwin::radio {
namespace {

constexpr std::size_t kLevels = 2048;  // numbers a lattice point can have

// Means of the normal law within kLevels slices of equal probability, scaled to variance 1.
std::vector<double> slices() {
    std::vector<double> levels(kLevels);
    double square = 0.0;
    for (std::size_t i = 0; i < kLevels; ++i) {
        levels[i] = normal_quantile((static_cast<double>(i) + 0.5) / kLevels);
        square += levels[i] * levels[i];
    }
    const double scale = std::sqrt(kLevels / square);
    for (double& level : levels) level *= scale;
    return levels;
}

const double* levels() {
    static const std::vector<double> table = slices();
    return table.data();
}

// Finaliser of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014): every bit of the key and the place decides every bit.
std::uint64_t mixed(std::uint64_t word) {
    word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9;
    word = (word ^ (word >> 27)) * 0x94D049BB133111EB;
    return word ^ (word >> 31);
}

// std::floor is a call on machines without SSE 4.1.
std::int64_t floor_of(double value) {
    const auto whole = static_cast<std::int64_t>(value);
    return whole - static_cast<std::int64_t>(static_cast<double>(whole) > value);
}

double lattice(const double* table, std::uint64_t key, std::int64_t column, std::int64_t row) {
    const std::uint64_t place =
        static_cast<std::uint64_t>(column) * 0x9E3779B97F4A7C15 + static_cast<std::uint64_t>(row) * 0xD1B54A32D192ED03;
    return table[mixed(key + place) >> 53];
}

}  // namespace

double normal_share(double value) { return 0.5 * std::erfc(-value / std::numbers::sqrt2); }

bool below_share(double value, double share) {
    constexpr double kSteps = 32.0;   // a unit
    constexpr double kSlack = 1e-12;  // more than the rounding of either
    static const std::vector<double> table = [] {
        std::vector<double> shares;
        for (int i = 0; i <= 2 * static_cast<int>(Field::kMost * kSteps); ++i) {
            shares.push_back(normal_share(i / kSteps - Field::kMost));
        }
        return shares;
    }();
    if (value >= -Field::kMost && value < Field::kMost) {
        const auto at = static_cast<std::size_t>((value + Field::kMost) * kSteps);
        if (share < table[at] - kSlack) return false;
        if (share > table[at + 1] + kSlack) return true;
    }
    return normal_share(value) < share;
}

double normal_quantile(double share) {
    if (!(share > 0.0 && share < 1.0)) {
        throw InvalidArgument("Expected a share in (0, 1), got " + std::to_string(share));
    }
    if (share > 0.5) return -normal_quantile(1.0 - share);
    // Start: Abramowitz and Stegun 26.2.23 (error below 4.5e-4); then Halley's rule, which triples the digits.
    const double t = std::sqrt(-2.0 * std::log(share));
    double value =
        -(t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1.0 + t * (1.432788 + t * (0.189269 + t * 0.001308))));
    for (int step = 0; step < 3; ++step) {
        const double density = std::exp(-0.5 * value * value) / std::sqrt(2.0 * std::numbers::pi);
        const double off = (normal_share(value) - share) / density;
        value -= off / (1.0 + 0.5 * off * value);
    }
    return value;
}

Field::Field(std::uint64_t seed, std::int64_t entity, std::uint32_t purpose, double correlation) {
    if (!(correlation >= 1.0 && std::isfinite(correlation))) {
        throw InvalidArgument("Expected a correlation distance of 1 m or more, got " + std::to_string(correlation) +
                              " m");
    }
    Stream stream(seed, static_cast<std::uint64_t>(entity), purpose);
    for (std::size_t i = 0; i < kOctaves; ++i) {
        Octave& octave = octaves_[i];
        const std::uint64_t high = stream.next_u32();
        octave.key = high << 32 | stream.next_u32();
        const double turn = 2.0 * std::numbers::pi * stream.uniform();
        const double spacing = kSpacings[i] * correlation;
        octave.along = std::cos(turn) / spacing;
        octave.across = std::sin(turn) / spacing;
        octave.east = stream.uniform();
        octave.north = stream.uniform();
        octave.weight = std::sqrt(kShares[i]);
    }
}

double Field::operator()(double x, double y) const {
    const double* const table = levels();
    double sum = 0.0;
    for (const Octave& octave : octaves_) {
        const double u = octave.along * x - octave.across * y + octave.east;
        const double v = octave.across * x + octave.along * y + octave.north;
        const std::int64_t i = floor_of(u), j = floor_of(v);
        const double s = u - static_cast<double>(i), t = v - static_cast<double>(j);
        const double south = (1.0 - s) * lattice(table, octave.key, i, j) + s * lattice(table, octave.key, i + 1, j);
        const double north =
            (1.0 - s) * lattice(table, octave.key, i, j + 1) + s * lattice(table, octave.key, i + 1, j + 1);
        const double square = ((1.0 - s) * (1.0 - s) + s * s) * ((1.0 - t) * (1.0 - t) + t * t);
        sum += octave.weight * ((1.0 - t) * south + t * north) / std::sqrt(square);
    }
    return std::clamp(sum, -kMost, kMost);
}

}  // namespace tiertwin::radio
