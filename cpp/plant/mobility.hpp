// Where users are: five models of movement, a step for everybody at a time.
//
//   gauss_markov  v <- a v + (1 - a) mean + sqrt(1 - a^2) sigma N, the heading likewise; a = memory^(dt / 1 s), so that
//   the
//                 time constant does not depend on the step; borders reflect, and turn the mean heading too
//   waypoint      straight to a point drawn in the area at a speed drawn between two bounds, a pause, the next point
//   manhattan     along streets a block apart; at a crossing straight on 1/2, left 1/4, right 1/4, as far as there are
//                 streets (3GPP TR 36.885, A.1.2); a speed drawn once
//   train         along a line of points and back, a speed drawn once; users of one train number keep their distances
//   uav           as waypoint, in three dimensions between two heights
//
// Source     T. Camp, J. Boleng, V. Davies, "A survey of mobility models for ad hoc network research", 2002.
// Units      m, s; headings in radians, counter-clockwise from east. The area is a rectangle from (0, 0).
// Order      a user's draws depend on seed, its number or key and how many it drew, never on other users or on their
// models. Costs      20 ... 60 ns a user and step. Thread safety  one thread owns a Mobility.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/types.hpp"
#include "plant/chance.hpp"

namespace tiertwin::plant {

enum class Walk : std::uint8_t { still = 0, gauss_markov = 1, waypoint = 2, manhattan = 3, train = 4, uav = 5 };

struct Place {
    double x = 0.0, y = 0.0, z = 0.0;
};

struct MobilityRules {
    double width = 1000.0, height = 1000.0;                      // m, of the area
    double user_z = 1.5;                                         // m, of everybody on the ground
    double mean_speed = 1.4, sigma_speed = 0.3;                  // m/s; gauss_markov
    double sigma_heading = 0.5, memory = 0.85;                   // radians, in one second; gauss_markov
    double low_speed = 0.5, high_speed = 2.0, pause = 10.0;      // m/s, s; waypoint
    double street_low = 5.0, street_high = 14.0, block = 100.0;  // m/s, m; manhattan
    double train_low = 97.0, train_high = 139.0;                 // m/s: 350 to 500 km/h
    double uav_low = 2.0, uav_high = 20.0, uav_floor = 30.0, uav_ceiling = 120.0;  // m/s, m
    std::vector<Place> track;                                                      // of trains; its z counts
};

class Mobility {
  public:
    // `train` numbers the train of each user (used by Walk::train only). InvalidArgument: a rule that cannot be (areas
    // and speeds must be above 0, as a model whose speeds reach 0 slows down for ever), a train without a track, sizes.
    // `keys` name the users' draws; without them their numbers do.
    Mobility(std::uint64_t seed, std::span<const std::uint8_t> walks, std::span<const std::uint32_t> train,
             const MobilityRules& rules, std::span<const std::uint64_t> keys = {});

    void step(double seconds);  // InvalidArgument unless above 0 and at most 60

    [[nodiscard]] index_t users() const { return static_cast<index_t>(users_.size()); }
    [[nodiscard]] double time() const { return time_; }  // s
    [[nodiscard]] Place place(index_t user) const { return users_[static_cast<std::size_t>(user)].at; }
    [[nodiscard]] Place velocity(index_t user) const;  // m/s

  private:
    struct User {
        Walk walk = Walk::still;
        Place at;
        Place target;  // waypoint, uav; manhattan: heading as unit vector; train: x is the way done, m
        double speed = 0.0;
        double heading = 0.0;  // gauss_markov
        double mean_heading = 0.0;
        double wait = 0.0;  // s left of a pause
        std::uint32_t drawn = 0;
        std::uint64_t key = 0;
    };

    [[nodiscard]] PhiloxBlock draw(std::size_t user);
    void put(std::size_t user, std::uint32_t train);
    void aim(std::size_t user);
    void wander(std::size_t user, double seconds);
    void travel(std::size_t user, double seconds);
    void drive(std::size_t user, double seconds);
    void turn(std::size_t user);
    void ride(std::size_t user, double seconds);
    [[nodiscard]] Place on_track(double way) const;

    Chance chance_;
    MobilityRules rules_;
    std::vector<double> track_;  // way from the first point to each, m
    std::vector<User> users_;
    double time_ = 0.0;
};

}  // namespace tiertwin::plant
