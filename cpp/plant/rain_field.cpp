#include "plant/rain_field.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <string>
#include <tuple>

#include "base/error.hpp"
#include "plant/expect.hpp"

namespace tiertwin::plant {
namespace {

constexpr double kReach = 5.0;          // radii
constexpr double kSpread = 0.5;         // of life and radius, relative
constexpr double kHeaviest = 200.0;     // mm/h
constexpr double kMostPanels = 100000;  // of one path
constexpr std::array<double, 4> kNode{0.18343464249564980, 0.52553240991632899, 0.79666647741362674,
                                      0.96028985649753623};
constexpr std::array<double, 4> kWeight{0.36268378337836198, 0.31370664587788729, 0.22238103445337447,
                                        0.10122853629037626};

double within(double mean, double uniform) { return mean * (1.0 - kSpread + 2.0 * kSpread * uniform); }

double radians(double degrees) { return degrees * std::numbers::pi / 180.0; }

// Squared distance of a point from a segment.
double from_segment(double x, double y, const PathOfRain& path) {
    const double dx = path.x1 - path.x0, dy = path.y1 - path.y0, length2 = dx * dx + dy * dy;
    double at = length2 > 0 ? ((x - path.x0) * dx + (y - path.y0) * dy) / length2 : 0.0;
    at = std::clamp(at, 0.0, 1.0);
    const double ex = x - path.x0 - at * dx, ey = y - path.y0 - at * dy;
    return ex * ex + ey * ey;
}

}  // namespace

void RainConfig::validate() const {
    for (const auto& [name, value] : {std::pair{"west", west}, {"south", south}, {"east", east}, {"north", north}})
        expect(name, value, -1e5, 1e5);
    expect("east (of west)", east, west, 1e5);
    expect("north (of south)", north, south, 1e5);
    expect("per_hour", per_hour, 0.0, 1e3);
    expect("life_s", life_s, 0.0, 1e6, true);
    expect("radius_km", radius_km, 0.01, 1e3);
    expect("peak_mm_h", peak_mm_h, 0.0, kHeaviest);
    expect("speed_km_h", speed_km_h, 0.0, 500.0);
    expect("heading_deg", heading_deg, -360.0, 360.0);
    expect("heading_spread_deg", heading_spread_deg, 0.0, 180.0);
    const std::string of = "cells of rain: ";
    for (const auto& [name, values, low, high] : {std::tuple{"at_s", &at_s, -1e7, 1e7},
                                                  {"x_km", &x_km, -1e5, 1e5},
                                                  {"y_km", &y_km, -1e5, 1e5},
                                                  {"radius", &radius, 0.01, 1e3},
                                                  {"peak", &peak, 0.0, kHeaviest},
                                                  {"life", &life, 0.001, 1e7},
                                                  {"speed", &speed, 0.0, 500.0},
                                                  {"heading", &heading, -360.0, 360.0}}) {
        if (values->size() != at_s.size()) {
            throw InvalidArgument(of + name + ": expected " + std::to_string(at_s.size()) +
                                  " values (one per cell, as in at_s), got " + std::to_string(values->size()));
        }
        for (std::size_t i = 0; i < values->size(); ++i)
            expect(of + name + "[" + std::to_string(i) + "]", (*values)[i], low, high);
    }
}

RainField::RainField(RainConfig config, const Chance& chance) : config_(std::move(config)), chance_(chance) {
    config_.validate();
    const RainConfig& c = config_;
    for (std::size_t i = 0; i < c.at_s.size(); ++i) {
        const double pace = c.speed[i] / 3600.0, towards = radians(c.heading[i]);
        cells_.push_back({c.at_s[i], c.life[i], c.x_km[i], c.y_km[i], pace * std::sin(towards),
                          pace * std::cos(towards), c.radius[i], c.peak[i]});
    }
    const double longest_s = (1.0 + kSpread) * c.life_s;
    grown_ = c.speed_km_h / 3600.0 * longest_s + kReach * (1.0 + kSpread) * c.radius_km;
    const double area = (c.east - c.west + 2 * grown_) * (c.north - c.south + 2 * grown_);
    per_s_ = c.per_hour / 3600.0 * area / 1000.0;
    next_born_s_ = -longest_s;  // whoever was born before is over at time 0
    if (per_s_ > 0) next_born_s_ += gap_s(0);
    advance(0);
}

double RainField::gap_s(std::uint64_t number) const {
    const PhiloxBlock words = chance_.block(number, Purpose::kRain, 0);
    return exponential(words[0], words[1]) / per_s_;
}

RainField::Cell RainField::draw(std::uint64_t number, double born_s) const {
    const RainConfig& c = config_;
    const PhiloxBlock life = chance_.block(number, Purpose::kRain, 0), place = chance_.block(number, Purpose::kRain, 1);
    const PhiloxBlock size = chance_.block(number, Purpose::kRain, 2);
    const double turn = normals(chance_.block(number, Purpose::kRain, 3)).first;
    const double x = c.west - grown_ + uniform(place[0], place[1]) * (c.east - c.west + 2 * grown_);
    const double y = c.south - grown_ + uniform(place[2], place[3]) * (c.north - c.south + 2 * grown_);
    const double pace = c.speed_km_h / 3600.0, towards = radians(c.heading_deg + c.heading_spread_deg * turn);
    return {born_s,
            within(c.life_s, uniform(life[2], life[3])),
            x,
            y,
            pace * std::sin(towards),
            pace * std::cos(towards),
            within(c.radius_km, uniform(size[0], size[1])),
            std::min(c.peak_mm_h * exponential(size[2], size[3]), kHeaviest)};
}

void RainField::advance(Time now) {
    if (now < now_) {
        throw InvalidArgument("rain: expected a time of at least " + std::to_string(now_) +
                              " ns (it only moves forward), got " + std::to_string(now));
    }
    now_ = now;
    const double t = static_cast<double>(now) * 1e-9;
    while (per_s_ > 0 && next_born_s_ <= t) {
        cells_.push_back(draw(drawn_, next_born_s_));
        next_born_s_ += gap_s(++drawn_);
    }
    std::erase_if(cells_, [t](const Cell& cell) { return cell.born_s + cell.life_s <= t; });
    alive_.clear();
    for (const Cell& cell : cells_) {
        const double age = t - cell.born_s;
        if (age <= 0 || cell.peak <= 0) continue;
        const double wave = std::sin(std::numbers::pi * age / cell.life_s);
        alive_.push_back({cell.x + cell.vx * age, cell.y + cell.vy * age, 1.0 / (cell.radius * cell.radius),
                          kReach * kReach * cell.radius * cell.radius, cell.peak * wave * wave, cell.radius});
    }
}

double RainField::rate(double x_km, double y_km) const {
    double sum = 0;
    for (const Now& cell : alive_) {
        const double dx = x_km - cell.x, dy = y_km - cell.y, distance2 = dx * dx + dy * dy;
        if (distance2 < cell.reach2) sum += cell.peak * std::exp(-distance2 * cell.per_radius2);
    }
    return sum;
}

double RainField::loss(const PathOfRain& path) const {
    near_.clear();
    double smallest = 0;
    for (const Now& cell : alive_) {
        if (from_segment(cell.x, cell.y, path) >= cell.reach2) continue;
        smallest = near_.empty() ? cell.radius : std::min(smallest, cell.radius);
        near_.push_back(cell);
    }
    const double dx = path.x1 - path.x0, dy = path.y1 - path.y0, length = std::sqrt(dx * dx + dy * dy);
    if (near_.empty() || length == 0.0) return 0.0;
    const double panels = std::clamp(std::ceil(2.0 * length / smallest), 1.0, kMostPanels);
    const auto strength = [&](double at) {
        const double x = path.x0 + at * dx, y = path.y0 + at * dy;
        double sum = 0;
        for (const Now& cell : near_) {
            const double ex = x - cell.x, ey = y - cell.y;
            sum += cell.peak * std::exp(-(ex * ex + ey * ey) * cell.per_radius2);
        }
        return std::pow(sum, path.alpha);
    };
    double total = 0;
    for (double panel = 0; panel < panels; panel += 1.0) {
        for (std::size_t i = 0; i < kNode.size(); ++i) {
            total += kWeight[i] * (strength((panel + 0.5 + 0.5 * kNode[i]) / panels) +
                                   strength((panel + 0.5 - 0.5 * kNode[i]) / panels));
        }
    }
    return path.k * total * length / (2.0 * panels);
}

}  // namespace tiertwin::plant
