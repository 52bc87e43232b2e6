#include "radio/links.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <string>

#include "base/error.hpp"

namespace tiertwin::radio {
namespace {

constexpr double kDegrees = 180.0 / std::numbers::pi;
constexpr double kTallest = 22.5;  // m, of the models' users
constexpr double kLowest = 1.0;

double sight_correlation(Environment environment) {
    return environment == Environment::inh ? 10.0 : environment == Environment::rma ? 60.0 : 50.0;
}

Field field_of(const CellMap::Mast& mast, std::uint64_t seed, Purpose purpose, double correlation) {
    const auto which = static_cast<std::uint32_t>(purpose) +
                       (purpose == Purpose::sight ? 0U : static_cast<std::uint32_t>(mast.environment));
    return {seed, mast.site, which, correlation};
}

Field field_of(std::uint64_t seed, Purpose purpose, double correlation) {
    return {seed, kPlace, static_cast<std::uint32_t>(purpose), correlation};
}

struct User {
    double x, y, z;
    bool indoors;
    double surroundings;  // in [0, 1), for the effective height
    bool high_loss;
    double depth_urban, depth_rural;  // m behind the wall
    double wall;                      // standard normal
};

User user_at(const SiteFields& fields, const LinkRules& rules, double x, double y, double z, bool indoors) {
    User user{x, y, z, indoors, 0.0, false, 0.0, 0.0, 0.0};
    if (z >= 13.0) user.surroundings = normal_share(fields.place(0)(x, y));
    if (!indoors) return user;
    user.high_loss = normal_share(fields.place(1)(x, y)) < rules.high_loss_share;
    const double depth = std::min(normal_share(fields.place(2)(x, y)), normal_share(fields.place(3)(x, y)));
    user.depth_urban = 25.0 * depth;
    user.depth_rural = 10.0 * depth;
    user.wall = fields.place(4)(x, y);
    return user;
}

double height_in(Environment environment, double z) {
    if (environment == Environment::inh) return z;
    return environment == Environment::rma ? std::clamp(z, 1.0, 10.0) : std::clamp(z, 1.5, 22.5);
}

// Everything a link loses but the sector's pattern, dB.
double loss_of(const CellMap::Mast& mast, const SiteFields::OfMast& fields, const User& user, double distance) {
    const Environment environment = mast.environment;
    const bool rural = environment == Environment::rma;
    const bool behind = user.indoors && environment != Environment::inh;
    const double depth = !behind ? 0.0 : rural ? user.depth_rural : user.depth_urban;
    Geometry at{std::max(distance - depth, 0.0), mast.height, height_in(environment, user.z)};
    const bool in_sight = normal_share(fields.sight(user.x, user.y)) < sight_probability(environment, at);
    at.distance = distance;
    double effective = 1.0;
    if (environment == Environment::uma && at.user_height >= 13.0) {
        const double drawn = effective_height(at, user.surroundings);
        if (drawn < mast.height) effective = drawn;
    }
    const double sigma = shadowing(environment, at, mast.ghz, in_sight).sigma;
    const Field& shadow = in_sight ? fields.clear : fields.hidden;
    double loss = path_loss(environment, at, mast.ghz, in_sight, effective) + sigma * shadow(user.x, user.y);
    if (behind) {
        const Wall wall = building_wall(mast.ghz, user.high_loss && !rural);
        loss += wall.loss + wall.sigma * user.wall + kLossInside * depth;
    }
    return loss;
}

struct Heard {
    double power;
    std::int32_t cell;
    double gain;
    bool operator<(const Heard& other) const { return power != other.power ? power > other.power : cell < other.cell; }
};

void hear(const CellMap& map, const SiteFields& fields, const User& user, index_t which, std::vector<Heard>& heard) {
    const CellMap::Mast& mast = map.masts()[static_cast<std::size_t>(which)];
    const double east = user.x - mast.x, north = user.y - mast.y;
    const double distance = std::hypot(east, north);
    if (distance > mast.reach || (mast.environment == Environment::inh && !user.indoors)) return;
    const double loss = loss_of(mast, fields.of_mast(which), user, distance);
    const double azimuth = std::atan2(east, north) * kDegrees;
    const double elevation = std::atan2(user.z - mast.height, distance) * kDegrees;
    for (const std::int32_t id : mast.cells) {
        const Cell& cell = map.cells()[static_cast<std::size_t>(id)];
        const double gain = sector_gain(cell.sector, azimuth, elevation) - loss;
        heard.push_back({cell.power_dbm + gain, id, gain});
    }
}

[[noreturn]] void refuse(std::size_t user, const std::string& wanted, const std::string& came) {
    throw InvalidArgument("user " + std::to_string(user) + ": expected " + wanted + ", got " + came);
}

void check(const CellMap& map, std::span<const double> x, std::span<const double> y, std::span<const double> z) {
    for (std::size_t i = 0; i < x.size(); ++i) {
        if (!map.bounds().holds(x[i], y[i])) {
            const CellMap::Box& box = map.bounds();
            refuse(i,
                   "a place on the map, x in " + std::to_string(box.west) + " to " + std::to_string(box.east) +
                       " m and y in " + std::to_string(box.south) + " to " + std::to_string(box.north) + " m",
                   std::to_string(x[i]) + ", " + std::to_string(y[i]));
        }
        if (!(z[i] >= kLowest && z[i] <= kTallest)) refuse(i, "a height of 1 to 22.5 m", std::to_string(z[i]) + " m");
    }
}

}  // namespace

SiteFields::SiteFields(const CellMap& map, std::uint64_t seed) {
    for (const CellMap::Mast& mast : map.masts()) {
        const Geometry at{0.0, mast.height, 1.5};
        const auto shadow = [&](Purpose purpose, bool in_sight) {
            return field_of(mast, seed, purpose, shadowing(mast.environment, at, mast.ghz, in_sight).correlation);
        };
        masts_.push_back({field_of(mast, seed, Purpose::sight, sight_correlation(mast.environment)),
                          shadow(Purpose::shadow_clear, true), shadow(Purpose::shadow_hidden, false)});
    }
    places_ = {field_of(seed, Purpose::surroundings, 50.0), field_of(seed, Purpose::high_loss, 50.0),
               field_of(seed, Purpose::depth_one, 25.0), field_of(seed, Purpose::depth_two, 25.0),
               field_of(seed, Purpose::wall, 7.0)};
}

void strongest(const CellMap& map, const SiteFields& fields, std::span<const double> x, std::span<const double> y,
               std::span<const double> z, std::span<const bool> indoors, index_t k, std::span<std::int32_t> cells,
               std::span<double> gains, const LinkRules& rules) {
    if (k < 1) throw InvalidArgument("Expected 1 cell or more of each user, got " + std::to_string(k));
    const std::size_t users = x.size(), slots = static_cast<std::size_t>(k);
    if (y.size() != users || z.size() != users || indoors.size() != users || cells.size() != users * slots ||
        gains.size() != users * slots) {
        throw InvalidArgument("Expected x, y, z and indoors of one length, got " + std::to_string(users) + ", " +
                              std::to_string(y.size()) + ", " + std::to_string(z.size()) + ", " +
                              std::to_string(indoors.size()));
    }
    if (!(rules.high_loss_share >= 0.0 && rules.high_loss_share <= 1.0)) {
        throw InvalidArgument("Expected a share of high-loss buildings of 0 to 1, got " +
                              std::to_string(rules.high_loss_share));
    }
    check(map, x, y, z);
    std::fill(cells.begin(), cells.end(), -1);
    std::fill(gains.begin(), gains.end(), -std::numeric_limits<double>::infinity());
    std::vector<Heard> heard;
    std::vector<std::int32_t> masts(rules.masts > 0 ? static_cast<std::size_t>(rules.masts) : map.masts().size());
    for (std::size_t i = 0; i < users; ++i) {
        const User user = user_at(fields, rules, x[i], y[i], z[i], indoors[i]);
        heard.clear();
        const index_t found = map.nearest_masts(x[i], y[i], rules.carrier, masts);
        for (index_t m = 0; m < found; ++m) hear(map, fields, user, masts[static_cast<std::size_t>(m)], heard);
        const std::size_t kept = std::min(slots, heard.size());
        std::partial_sort(heard.begin(), heard.begin() + static_cast<std::ptrdiff_t>(kept), heard.end());
        for (std::size_t s = 0; s < kept; ++s) {
            cells[i * slots + s] = heard[s].cell;
            gains[i * slots + s] = heard[s].gain;
        }
    }
}

void strongest(const CellMap& map, std::span<const double> x, std::span<const double> y, std::span<const double> z,
               std::span<const bool> indoors, std::uint64_t seed, index_t k, std::span<std::int32_t> cells,
               std::span<double> gains, const LinkRules& rules) {
    strongest(map, SiteFields(map, seed), x, y, z, indoors, k, cells, gains, rules);
}

void indoors_at(std::uint64_t seed, double share, std::span<const double> x, std::span<const double> y,
                std::span<bool> indoors) {
    if (!(share >= 0.0 && share <= 1.0)) {
        throw InvalidArgument("Expected a share of users indoors of 0 to 1, got " + std::to_string(share));
    }
    if (y.size() != x.size() || indoors.size() != x.size()) {
        throw InvalidArgument("Expected x and y of one length, got " + std::to_string(x.size()) + " and " +
                              std::to_string(y.size()));
    }
    const Field field = field_of(seed, Purpose::indoors, 50.0);
    for (std::size_t i = 0; i < x.size(); ++i) {
        if (!(std::isfinite(x[i]) && std::isfinite(y[i]))) refuse(i, "a finite place", std::to_string(x[i]));
        indoors[i] = normal_share(field(x[i], y[i])) < share;
    }
}

}  // namespace tiertwin::radio
