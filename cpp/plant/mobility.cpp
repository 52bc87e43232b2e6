#include "plant/mobility.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

#include "base/error.hpp"

namespace tiertwin::plant {
namespace {

constexpr double kPi = std::numbers::pi;
constexpr double kStreet = 1e-9;  // m: nearer to a crossing is there

void expect_rule(bool good, const char* wanted, double came) {
    if (!good) throw InvalidArgument(std::string("mobility: expected ") + wanted + ", got " + std::to_string(came));
}

void check_speeds(double low, double high) {
    expect_rule(low > 0.0 && std::isfinite(low), "speeds above 0 m/s", low);
    expect_rule(high >= low && std::isfinite(high), "a highest speed not below the lowest", high);
}

void check(const MobilityRules& r) {
    expect_rule(r.width > 0.0 && std::isfinite(r.width), "an area wider than 0 m", r.width);
    expect_rule(r.height > 0.0 && std::isfinite(r.height), "an area higher than 0 m", r.height);
    expect_rule(r.user_z >= 0.0 && std::isfinite(r.user_z), "users at 0 m or above", r.user_z);
    expect_rule(r.mean_speed > 0.0 && std::isfinite(r.mean_speed), "a mean speed above 0 m/s", r.mean_speed);
    expect_rule(r.sigma_speed >= 0.0 && std::isfinite(r.sigma_speed), "a deviation of 0 m/s or more", r.sigma_speed);
    expect_rule(r.sigma_heading >= 0.0 && std::isfinite(r.sigma_heading), "a deviation of 0 rad or more",
                r.sigma_heading);
    expect_rule(r.memory >= 0.0 && r.memory < 1.0, "a memory in [0, 1)", r.memory);
    expect_rule(r.pause >= 0.0 && std::isfinite(r.pause), "a pause of 0 s or more", r.pause);
    check_speeds(r.low_speed, r.high_speed);
    check_speeds(r.street_low, r.street_high);
    check_speeds(r.train_low, r.train_high);
    check_speeds(r.uav_low, r.uav_high);
    expect_rule(r.block > 0.0 && r.block <= std::min(r.width, r.height), "a block that fits into the area, m", r.block);
    expect_rule(r.uav_floor >= 0.0 && r.uav_ceiling >= r.uav_floor, "a ceiling above the floor, m", r.uav_ceiling);
    for (const Place& p : r.track) {
        expect_rule(std::isfinite(p.x) && std::isfinite(p.y) && std::isfinite(p.z), "a finite track", p.x);
    }
}

double norm(const Place& p) { return std::sqrt(p.x * p.x + p.y * p.y + p.z * p.z); }
Place minus(const Place& a, const Place& b) { return {a.x - b.x, a.y - b.y, a.z - b.z}; }
Place along(const Place& from, const Place& to, double part) {
    return {from.x + part * (to.x - from.x), from.y + part * (to.y - from.y), from.z + part * (to.z - from.z)};
}

double between(double low, double high, double share) { return low + share * (high - low); }

// Back into [0, limit] as a mirror would; true when it had to.
bool reflect(double& x, double limit) {
    const double period = 2.0 * limit;
    const double folded = x - period * std::floor(x / period);
    const bool turned = (static_cast<long long>(std::floor(x / limit)) & 1) != 0;
    x = folded <= limit ? folded : period - folded;
    return turned;
}

}  // namespace

Mobility::Mobility(std::uint64_t seed, std::span<const std::uint8_t> walks, std::span<const std::uint32_t> train,
                   const MobilityRules& rules, std::span<const std::uint64_t> keys)
    : chance_(seed), rules_(rules) {
    check(rules_);
    if (walks.size() != train.size()) {
        throw InvalidArgument("mobility: expected a train number a user, got " + std::to_string(walks.size()) +
                              " users and " + std::to_string(train.size()) + " numbers");
    }
    if (!keys.empty() && keys.size() != walks.size()) {
        throw InvalidArgument("mobility: expected a key a user, got " + std::to_string(walks.size()) + " users and " +
                              std::to_string(keys.size()) + " keys");
    }
    for (std::size_t i = 0; i < rules_.track.size(); ++i) {
        track_.push_back(i == 0 ? 0.0 : track_.back() + norm(minus(rules_.track[i], rules_.track[i - 1])));
    }
    users_.resize(walks.size());
    for (std::size_t i = 0; i < walks.size(); ++i) {
        expect_rule(walks[i] <= static_cast<std::uint8_t>(Walk::uav), "a model of movement 0 to 5", walks[i]);
        users_[i].walk = static_cast<Walk>(walks[i]);
        users_[i].key = keys.empty() ? i : keys[i];
        if (users_[i].walk == Walk::train && (track_.size() < 2 || track_.back() <= 0.0)) {
            throw InvalidArgument("mobility: user " + std::to_string(i) +
                                  " goes by train, but the track has no length");
        }
        put(i, train[i]);
    }
}

PhiloxBlock Mobility::draw(std::size_t user) {
    return chance_.block(users_[user].key, Purpose::kMobility, users_[user].drawn++);
}

void Mobility::put(std::size_t i, std::uint32_t train) {
    User& user = users_[i];
    const PhiloxBlock b = draw(i);
    user.at = {rules_.width * uniform(b[0], b[1]), rules_.height * uniform(b[2], b[3]), rules_.user_z};
    const PhiloxBlock c = draw(i);
    const double share = uniform(c[0], c[1]);
    switch (user.walk) {
        case Walk::still:
            break;
        case Walk::gauss_markov:
            user.heading = user.mean_heading = 2.0 * kPi * share;
            user.speed = rules_.mean_speed;
            break;
        case Walk::uav:
            user.at.z = between(rules_.uav_floor, rules_.uav_ceiling, share);
            [[fallthrough]];
        case Walk::waypoint:
            aim(i);
            break;
        case Walk::manhattan: {  // on the nearest street of one direction or the other
            const bool east = (c[2] & 1U) != 0;
            double& across = east ? user.at.y : user.at.x;
            double& on = east ? user.at.x : user.at.y;
            const double wide = std::floor(rules_.width / rules_.block),
                         high = std::floor(rules_.height / rules_.block);
            across = rules_.block * std::min(std::round(across / rules_.block), east ? high : wide);
            on = std::min(on, rules_.block * (east ? wide : high));  // no street goes on beyond the last crossing
            const double way = (c[2] & 2U) != 0 ? 1.0 : -1.0;
            user.target = east ? Place{way, 0.0, 0.0} : Place{0.0, way, 0.0};
            user.speed = between(rules_.street_low, rules_.street_high, share);
            break;
        }
        case Walk::train: {  // where the train is and how fast depends on the train, the seat on the user
            const PhiloxBlock t = chance_.block(train, Purpose::kTrain, 0);
            user.speed = between(rules_.train_low, rules_.train_high, uniform(t[0], t[1]));
            constexpr double kTrainLength = 200.0;  // m
            user.target.x = 2.0 * track_.back() * uniform(t[2], t[3]) + kTrainLength * share;
            user.at = on_track(user.target.x);
            break;
        }
    }
}

void Mobility::aim(std::size_t i) {
    User& user = users_[i];
    const PhiloxBlock b = draw(i), c = draw(i);
    user.target = {rules_.width * uniform(b[0], b[1]), rules_.height * uniform(b[2], b[3]), rules_.user_z};
    const bool flies = user.walk == Walk::uav;
    if (flies) user.target.z = between(rules_.uav_floor, rules_.uav_ceiling, uniform(c[2], c[3]));
    const double share = uniform(c[0], c[1]);
    user.speed =
        flies ? between(rules_.uav_low, rules_.uav_high, share) : between(rules_.low_speed, rules_.high_speed, share);
}

Place Mobility::velocity(index_t index) const {
    const User& user = users_[static_cast<std::size_t>(index)];
    switch (user.walk) {
        case Walk::still:
            return {};
        case Walk::gauss_markov:
            return {user.speed * std::cos(user.heading), user.speed * std::sin(user.heading), 0.0};
        case Walk::manhattan:
            return {user.speed * user.target.x, user.speed * user.target.y, 0.0};
        case Walk::train: {
            const Place next = on_track(user.target.x + 1e-3);
            const Place way = minus(next, user.at);
            const double length = std::max(norm(way), 1e-12);
            return {user.speed * way.x / length, user.speed * way.y / length, user.speed * way.z / length};
        }
        case Walk::waypoint:
        case Walk::uav: {
            const Place way = minus(user.target, user.at);
            const double length = norm(way);
            if (user.wait > 0.0 || length < 1e-12) return {};
            return {user.speed * way.x / length, user.speed * way.y / length, user.speed * way.z / length};
        }
    }
    return {};
}

void Mobility::step(double seconds) {
    expect_rule(seconds > 0.0 && seconds <= 60.0, "a step above 0 and of at most 60 s", seconds);
    for (std::size_t i = 0; i < users_.size(); ++i) {
        switch (users_[i].walk) {
            case Walk::still:
                break;
            case Walk::gauss_markov:
                wander(i, seconds);
                break;
            case Walk::waypoint:
            case Walk::uav:
                travel(i, seconds);
                break;
            case Walk::manhattan:
                drive(i, seconds);
                break;
            case Walk::train:
                ride(i, seconds);
                break;
        }
    }
    time_ += seconds;
}

void Mobility::wander(std::size_t i, double seconds) {
    User& user = users_[i];
    const double a = std::pow(rules_.memory, seconds);
    const double fresh = std::sqrt(1.0 - a * a);
    const auto [first, second] = normals(draw(i));
    user.speed = std::max(a * user.speed + (1.0 - a) * rules_.mean_speed + fresh * rules_.sigma_speed * first, 0.0);
    user.heading = a * user.heading + (1.0 - a) * user.mean_heading + fresh * rules_.sigma_heading * second;
    user.at.x += user.speed * std::cos(user.heading) * seconds;
    user.at.y += user.speed * std::sin(user.heading) * seconds;
    if (reflect(user.at.x, rules_.width)) {
        user.heading = kPi - user.heading;
        user.mean_heading = kPi - user.mean_heading;
    }
    if (reflect(user.at.y, rules_.height)) {
        user.heading = -user.heading;
        user.mean_heading = -user.mean_heading;
    }
}

void Mobility::travel(std::size_t i, double seconds) {
    User& user = users_[i];
    while (seconds > 0.0) {
        if (user.wait > 0.0) {
            const double waited = std::min(user.wait, seconds);
            user.wait -= waited;
            seconds -= waited;
            if (user.wait > 0.0) return;
            aim(i);
        }
        const double left = norm(minus(user.target, user.at)), way = user.speed * seconds;
        if (way < left) {
            user.at = along(user.at, user.target, way / left);
            return;
        }
        user.at = user.target;
        seconds -= left / user.speed;
        user.wait = user.walk == Walk::uav ? 0.0 : rules_.pause;
        if (user.wait <= 0.0) aim(i);
    }
}

void Mobility::drive(std::size_t i, double seconds) {
    User& user = users_[i];
    double way = user.speed * seconds;
    while (way > 0.0) {
        const bool east = user.target.x != 0.0;
        double& at = east ? user.at.x : user.at.y;
        const double sign = east ? user.target.x : user.target.y;
        const double last = rules_.block * std::floor((east ? rules_.width : rules_.height) / rules_.block);
        const double number = at / rules_.block;
        double crossing =
            rules_.block * (sign > 0.0 ? std::floor(number + kStreet) + 1.0 : std::ceil(number - kStreet) - 1.0);
        crossing = std::clamp(crossing, 0.0, last);
        const double left = std::abs(crossing - at);
        if (way < left) {
            at += sign * way;
            return;
        }
        at = crossing;
        way -= left;
        turn(i);
    }
}

void Mobility::turn(std::size_t i) {
    User& user = users_[i];
    const Place ahead = user.target;
    const Place ways[3] = {ahead, {-ahead.y, ahead.x, 0.0}, {ahead.y, -ahead.x, 0.0}};  // on, left, right
    const double shares[3] = {0.5, 0.25, 0.25};
    const double east = rules_.block * std::floor(rules_.width / rules_.block);
    const double north = rules_.block * std::floor(rules_.height / rules_.block);
    double open[3], total = 0.0;
    for (int k = 0; k < 3; ++k) {
        const double x = user.at.x + ways[k].x * rules_.block, y = user.at.y + ways[k].y * rules_.block;
        const double slack = 1e-6 * rules_.block;
        open[k] = x >= -slack && x <= east + slack && y >= -slack && y <= north + slack ? shares[k] : 0.0;
        total += open[k];
    }
    const PhiloxBlock b = draw(i);
    double drawn = total * uniform(b[0], b[1]);
    for (int k = 0; k < 3; ++k) {
        if (open[k] > 0.0 && drawn < open[k]) {
            user.target = ways[k];
            return;
        }
        drawn -= open[k];
    }
    user.target = {-ahead.x, -ahead.y, 0.0};  // a dead end
}

void Mobility::ride(std::size_t i, double seconds) {
    User& user = users_[i];
    user.target.x = std::fmod(user.target.x + user.speed * seconds, 2.0 * track_.back());
    user.at = on_track(user.target.x);
}

// There and back: a way beyond the end of the line comes back on it.
Place Mobility::on_track(double way) const {
    const double length = track_.back();
    double x = std::fmod(way, 2.0 * length);
    if (x > length) x = 2.0 * length - x;
    const auto next = std::upper_bound(track_.begin() + 1, track_.end() - 1, x);
    const auto k = static_cast<std::size_t>(next - track_.begin());
    const double piece = track_[k] - track_[k - 1];
    return along(rules_.track[k - 1], rules_.track[k], piece > 0.0 ? (x - track_[k - 1]) / piece : 0.0);
}

}  // namespace tiertwin::plant
