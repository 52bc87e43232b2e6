// A rain field that crosses the map: cells that are born, drift and die over a plane in km.
//
//   rate at a point   R(x, t) = sum over cells of peak * sin^2(pi age / life) * exp(-|x - c(t)|^2 / radius^2)     mm/h
//                     c(t) = where it was born + velocity * age
//   loss of a path    integral over the path of k R^alpha, dB (ITU-R P.838-3 gives k and alpha)
//
// The Gaussian shape with the radius where the rate is 1/e of its peak is that of the convective cells of HYCELL
// (Feral, Sauvageot, Castanet, Lemorton, Radio Science 38(3), 2003). Ours: circles, the rise and fall, straight drift,
// and how cells come: Poisson in time, uniform over the box and what can drift into it; life and radius uniform within
// half of their mean, peak exponential and at most 200 mm/h, heading normal. The field is in its steady state from time
// 0 on.
//
// Quadrature: Gauss-Legendre of 8 points on panels of at most half the smallest radius near the path. Against erf a
// path through one cell is right to 1e-13 (relative), against a fine sum one through many to 1e-7 (measured; tests hold
// 1e-8 and 2e-6). Cells farther than 5 radii from the point or path are left out: less than 2e-11 of their peak, and of
// a path less than 4e-7 k peak^alpha times its length or the radius, whichever is less.
//
// Chance   cell n draws by (seed, n): the field does not depend on who looks or when.
// Time     forward only.   Thread  one thread owns it.
// Costs    a path: about 10 ns a cell near it and point, 16 points a radius of its length.
#pragma once

#include <span>
#include <vector>

#include "base/types.hpp"
#include "plant/chance.hpp"

namespace tiertwin::plant {

struct RainConfig {
    // Random cells; per_hour 0: none. Box and lengths in km.
    double west = 0, south = 0, east = 0, north = 0;
    double per_hour = 0;  // births over 1000 km^2
    double life_s = 1800, radius_km = 4, peak_mm_h = 30;
    double speed_km_h = 30, heading_deg = 90, heading_spread_deg = 10;  // 90: towards the east
    // Given cells, one after the other.
    std::vector<double> at_s, x_km, y_km, radius, peak, life, speed, heading;

    // Throws InvalidArgument naming field, index, value and what was expected.
    void validate() const;
};

struct PathOfRain {
    double x0, y0, x1, y1;  // km
    double k, alpha;        // P.838
};

class RainField {
  public:
    RainField(RainConfig config, const Chance& chance);

    // Requires a time that is not before the last one; InvalidArgument otherwise.
    void advance(Time now);
    [[nodiscard]] Time now() const { return now_; }

    [[nodiscard]] double rate(double x_km, double y_km) const;  // mm/h
    [[nodiscard]] double loss(const PathOfRain& path) const;    // dB
    [[nodiscard]] index_t cells() const { return static_cast<index_t>(alive_.size()); }

  private:
    struct Cell {
        double born_s, life_s, x, y, vx, vy, radius, peak;  // km, km/s, mm/h
    };
    struct Now {
        double x, y, per_radius2, reach2, peak, radius;
    };
    [[nodiscard]] Cell draw(std::uint64_t number, double born_s) const;
    [[nodiscard]] double gap_s(std::uint64_t number) const;

    RainConfig config_;
    Chance chance_;
    double grown_ = 0, per_s_ = 0, next_born_s_ = 0;  // box grown by this on each side; births a second in it
    std::uint64_t drawn_ = 0;
    Time now_ = 0;
    std::vector<Cell> cells_;  // not yet over
    std::vector<Now> alive_;   // raining now
    mutable std::vector<Now> near_;
};

}  // namespace tiertwin::plant
