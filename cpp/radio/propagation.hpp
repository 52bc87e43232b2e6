// Path loss of terrestrial links, 0.5 to 100 GHz, by 3GPP TR 38.901 V17 (tables 7.4.1-1, 7.4.2-1, 7.4.3-2, 7.5-6).
//
//   uma  urban macro          base station 25 m, users 1.5 ... 22.5 m
//   umi  urban micro, street  10 m, 1.5 ... 22.5 m
//   rma  rural macro          10 ... 150 m, 1 ... 10 m; at most 30 GHz; streets 20 m wide, houses 5 m high
//   inh  indoor office        any heights; distances to 150 m
//
// Units      distances and heights in m, frequencies in GHz, losses in dB.
// Range      a distance below the model's least (10 m; indoors 1 m) counts as that: whoever stands at the mast is not
//            nearer than the antenna. Above the greatest (5 km; rma 10 km in sight, 5 km not; inh 150 m)
//            InvalidArgument, as for anything negative, not finite, or a height or frequency outside the model.
// Thread safety  pure functions.   Costs: 20 ... 60 ns each (logarithms).
#pragma once

#include <cstdint>
#include <string_view>

namespace tiertwin::radio {

enum class Environment : std::uint8_t { uma, umi, rma, inh };

[[nodiscard]] Environment environment_of(std::string_view name);  // InvalidArgument names the known ones
[[nodiscard]] std::string_view name_of(Environment environment);

// Where the two ends stand. `distance` is along the ground.
struct Geometry {
    double distance = 0.0;
    double base_height = 25.0;
    double user_height = 1.5;
};

// Probability that nothing stands between the two ends.
[[nodiscard]] double sight_probability(Environment environment, const Geometry& at);

// Distance along the ground at which the slope changes from about 2 to 4, m; infinity where there is one slope only
// (inh). `effective_height`: of the surroundings, as `uma` has it for users at 13 m and above; 1 m for all others.
[[nodiscard]] double breakpoint(Environment environment, const Geometry& at, double ghz, double effective_height = 1.0);

// Median path loss, dB. Not in sight it is never less than in sight.
[[nodiscard]] double path_loss(Environment environment, const Geometry& at, double ghz, bool in_sight,
                               double effective_height = 1.0);

// Height of the surroundings of a user in `uma`, drawn with `uniform` in [0, 1): 1 m below 13 m, else 1 m with
// probability 1/(1 + C), otherwise one of 12, 15, ... user_height - 1.5.
[[nodiscard]] double effective_height(const Geometry& at, double uniform);

// Shadowing: standard deviation, dB, and the distance over which it is correlated, m.
struct Shadowing {
    double sigma = 0.0;
    double correlation = 1.0;
};
[[nodiscard]] Shadowing shadowing(Environment environment, const Geometry& at, double ghz, bool in_sight);

// From outside into a building: median of the wall, dB, and its standard deviation. High loss: metal-coated glass.
struct Wall {
    double loss = 0.0;
    double sigma = 0.0;
};
[[nodiscard]] Wall building_wall(double ghz, bool high_loss);
inline constexpr double kLossInside = 0.5;  // dB/m behind the wall

[[nodiscard]] double free_space_loss(double distance, double ghz);  // dB; distance in m

}  // namespace tiertwin::radio
