#include "plant/access_links.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/error.hpp"

namespace tiertwin::plant {
namespace {

constexpr std::size_t kPiece = 4096;              // users found at a time: bounds the scratch memory
constexpr double kLowest = 1.0, kHighest = 22.5;  // m

void check_reach(const AccessConfig& c, const radio::CellMap::Box& reach) {
    if (reach.holds(c.west, c.south) && reach.holds(c.east, c.north)) return;
    throw InvalidArgument("map: expected a rectangle within the cells' reach, (" + std::to_string(reach.west) + ", " +
                          std::to_string(reach.south) + ") to (" + std::to_string(reach.east) + ", " +
                          std::to_string(reach.north) + ") m, got (" + std::to_string(c.west) + ", " +
                          std::to_string(c.south) + ") to (" + std::to_string(c.east) + ", " + std::to_string(c.north) +
                          ")");
}

}  // namespace

AccessLinks::AccessLinks(const AccessConfig& config, const std::vector<CellSecret>& secrets)
    : heard_(static_cast<std::size_t>(config.heard)),
      map_(true_cells(config, secrets)),
      fields_(map_, config.seed),
      indoors_(config.user_indoors.begin(), config.user_indoors.end()),
      cells_(config.users() * heard_, -1),
      received_(config.users() * heard_, 0.0F),
      inside_(new bool[kPiece]),
      height_(kPiece),
      gain_(kPiece * heard_),
      found_(kPiece * heard_) {
    check_reach(config, map_.bounds());
    rules_.high_loss_share = config.high_loss_share;
    rules_.masts = config.masts;
}

void AccessLinks::find(std::span<const std::uint32_t> users, std::span<const double> x, std::span<const double> y,
                       std::span<const double> z) {
    for (std::size_t from = 0; from < users.size(); from += kPiece) {
        const std::size_t n = std::min(kPiece, users.size() - from);
        find_some(users.subspan(from, n), x.subspan(from, n), y.subspan(from, n), z.subspan(from, n));
    }
}

void AccessLinks::find_some(std::span<const std::uint32_t> users, std::span<const double> x, std::span<const double> y,
                            std::span<const double> z) {
    const std::size_t n = users.size();
    for (std::size_t i = 0; i < n; ++i) {
        inside_[i] = indoors_[users[i]] != 0;
        height_[i] = std::clamp(z[i], kLowest, kHighest);
    }
    const std::span<std::int32_t> found(found_.data(), n * heard_);
    const std::span<double> gain(gain_.data(), n * heard_);
    radio::strongest(map_, fields_, x, y, {height_.data(), n}, {inside_.get(), n}, static_cast<index_t>(heard_), found,
                     gain, rules_);
    const auto cells = map_.cells();
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t s = 0; s < heard_; ++s) {
            const std::int32_t cell = found[i * heard_ + s];
            const double db =
                cell < 0 ? -HUGE_VAL : cells[static_cast<std::size_t>(cell)].power_dbm + gain[i * heard_ + s];
            cells_[users[i] * heard_ + s] = cell;
            received_[users[i] * heard_ + s] = static_cast<float>(std::pow(10.0, 0.1 * db));
        }
    }
}

}  // namespace tiertwin::plant
