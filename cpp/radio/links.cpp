#include "radio/links.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/error.hpp"
#include "radio/link_search.hpp"
#include "radio/refuse.hpp"

namespace tiertwin::radio {
namespace {

constexpr double kTallest = 22.5;  // m, of the models' users
constexpr double kLowest = 1.0;

double sight_correlation(Environment environment) {
    return environment == Environment::inh ? 10.0 : environment == Environment::rma ? 60.0 : 50.0;
}

// Of a site; shadows are of a site and an environment.
Field field_of(std::uint64_t seed, std::int32_t site, Purpose purpose, Environment environment, double correlation) {
    const std::uint32_t offset = purpose == Purpose::sight ? 0U : static_cast<std::uint32_t>(environment);
    return {seed, site, static_cast<std::uint32_t>(purpose) + offset, correlation};
}

double place_correlation(Purpose what) {
    if (what == Purpose::wall) return 7.0;
    return what == Purpose::depth_one || what == Purpose::depth_two ? 25.0 : 50.0;
}

Field field_of(std::uint64_t seed, Purpose purpose, double correlation) {
    return {seed, kPlace, static_cast<std::uint32_t>(purpose), correlation};
}

void check(const CellMap& map, std::span<const double> x, std::span<const double> y, std::span<const double> z) {
    for (std::size_t i = 0; i < x.size(); ++i) {
        if (!map.bounds().holds(x[i], y[i])) {
            refuse(i, "a place on the map (" + words(map.bounds()) + ")",
                   std::to_string(x[i]) + ", " + std::to_string(y[i]));
        }
        if (!(z[i] >= kLowest && z[i] <= kTallest)) refuse(i, "a height of 1 to 22.5 m", std::to_string(z[i]) + " m");
    }
}

}  // namespace

SiteFields::SiteFields(const CellMap& map, std::uint64_t seed) {
    for (const CellMap::Mast& mast : map.masts()) {
        const CellMap::Kind& kind = map.kinds()[static_cast<std::size_t>(mast.kind)];
        const Geometry at{0.0, kind.height, 1.5};
        const auto field = [&](Purpose purpose, double correlation) {
            return field_of(seed, mast.site, purpose, kind.environment, correlation);
        };
        sight_.push_back(field(Purpose::sight, sight_correlation(kind.environment)));
        clear_.push_back(field(Purpose::shadow_clear, shadowing(kind.environment, at, kind.ghz, true).correlation));
        hidden_.push_back(field(Purpose::shadow_hidden, shadowing(kind.environment, at, kind.ghz, false).correlation));
    }
    for (const Purpose what : {Purpose::surroundings, Purpose::indoors, Purpose::high_loss, Purpose::depth_one,
                               Purpose::depth_two, Purpose::wall}) {
        places_.push_back(field_of(seed, what, place_correlation(what)));
    }
    for (const CellMap::Kind& kind : map.kinds()) {
        walls_.push_back(building_wall(kind.ghz, false));
        walls_.push_back(building_wall(kind.ghz, true));
    }
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
    if (rules.masts < 0) {
        throw InvalidArgument("Expected 0 (all) or more masts to judge, got " + std::to_string(rules.masts));
    }
    map.expect_carrier(rules.carrier);
    check(map, x, y, z);
    LinkSearch search(map, fields, rules, k);
    for (std::size_t i = 0; i < users; ++i) {
        search.find(x[i], y[i], z[i], indoors[i], cells.subspan(i * slots, slots), gains.subspan(i * slots, slots));
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
    const Field field = field_of(seed, Purpose::indoors, place_correlation(Purpose::indoors));
    for (std::size_t i = 0; i < x.size(); ++i) {
        if (!Field::reaches(x[i], y[i])) {
            refuse(i, "coordinates of -1e9 to 1e9 m", std::to_string(x[i]) + ", " + std::to_string(y[i]));
        }
        indoors[i] = normal_share(field(x[i], y[i])) < share;
    }
}

}  // namespace tiertwin::radio
