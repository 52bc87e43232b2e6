#include "plant/access_crowd.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "base/error.hpp"

namespace tiertwin::plant {
namespace {

constexpr double kSubcarriers = 12.0;  // of a resource block
constexpr double kSquare = 500.0;      // m: who counts as neighbours when all links are found

}  // namespace

AccessCrowd::AccessCrowd(const AccessConfig& config)
    : config_(config),
      x_(config.user_x),
      y_(config.user_y),
      z_(config.user_z),
      serving_(config.users(), radio::kNoCell),
      slot_(config.users(), -1),
      mover_of_(config.users(), -1),
      down_(config.cells(), 0) {
    for (std::size_t u = 0; u < config.users(); ++u) {
        if (!config.moves(u)) continue;
        mover_of_[u] = static_cast<std::int32_t>(movers_.size());
        movers_.push_back(static_cast<std::uint32_t>(u));
    }
    for (std::size_t c = 0; c < config.cells(); ++c) {
        element_db_.push_back(-10.0 * std::log10(kSubcarriers * static_cast<double>(config.cell_prbs[c])));
    }
    make_zones();
    const std::size_t m = movers_.size(), k = static_cast<std::size_t>(config.measured);
    measured_.assign(m * k, radio::kNoCell);
    rsrp_.assign(m * k, 0.0);
    if (m > 0) {
        tracker_ = std::make_unique<radio::HandoverTracker>(static_cast<index_t>(m), config.measured, config.handover);
    }
}

void AccessCrowd::make_zones() {
    for (std::size_t z = 0; z < config_.zone_rules.size(); ++z) {
        Zone zone{config_.zone_x[z], config_.zone_y[z], {}, nullptr};
        std::vector<std::uint8_t> walks;
        std::vector<std::uint32_t> trains;
        std::vector<std::uint64_t> keys;
        for (const std::uint32_t u : movers_) {
            if (!config_.walks(u) || config_.user_zone[u] != static_cast<std::int64_t>(z)) continue;
            zone.users.push_back(u);
            walks.push_back(static_cast<std::uint8_t>(config_.user_walk[u]));
            trains.push_back(static_cast<std::uint32_t>(config_.user_train[u]));
            keys.push_back(static_cast<std::uint64_t>(config_.user_key[u]));
        }
        zone.mobility = std::make_unique<Mobility>(config_.seed, walks, trains, config_.zone_rules[z], keys);
        zones_.push_back(std::move(zone));
    }
    for (const Zone& zone : zones_) {
        for (std::size_t i = 0; i < zone.users.size(); ++i) {
            const Place at = zone.mobility->place(static_cast<index_t>(i));
            x_[zone.users[i]] = zone.x + at.x;
            y_[zone.users[i]] = zone.y + at.y;
            z_[zone.users[i]] = at.z;
        }
    }
    for (const std::uint32_t u : movers_) {
        anchor_x_.push_back(x_[u]);
        anchor_y_.push_back(y_[u]);
        anchor_z_.push_back(z_[u]);
    }
}

// Neighbours one after the other: the masts around them stay in the cache (measured: four times faster on a large map).
void AccessCrowd::find_everybody(AccessLinks& links) {
    std::vector<std::pair<std::int64_t, std::uint32_t>> order(config_.users());
    const std::int64_t columns = 1 + static_cast<std::int64_t>((config_.east - config_.west) / kSquare);
    for (std::size_t u = 0; u < order.size(); ++u) {
        const auto column = static_cast<std::int64_t>((x_[u] - config_.west) / kSquare);
        const auto row = static_cast<std::int64_t>((y_[u] - config_.south) / kSquare);
        order[u] = {row * columns + column, static_cast<std::uint32_t>(u)};
    }
    std::sort(order.begin(), order.end());
    constexpr std::size_t kPiece = 4096;
    for (std::size_t from = 0; from < order.size(); from += kPiece) {
        far_.clear();
        far_x_.clear();
        far_y_.clear();
        far_z_.clear();
        for (std::size_t i = from; i < std::min(from + kPiece, order.size()); ++i) {
            const std::uint32_t u = order[i].second;
            far_.push_back(u);
            far_x_.push_back(x_[u]);
            far_y_.push_back(y_[u]);
            far_z_.push_back(z_[u]);
        }
        links.find(far_, far_x_, far_y_, far_z_);
    }
}

void AccessCrowd::settle(AccessLinks& links) {
    find_everybody(links);
    for (std::size_t u = 0; u < config_.users(); ++u) {
        if (mover_of_[u] < 0) attach(u, links);
    }
    for (std::size_t m = 0; m < movers_.size(); ++m) measure(m, links);
}

void AccessCrowd::attach(std::size_t user, const AccessLinks& links) {
    const auto cells = links.cells(user);
    const auto found = std::find_if(cells.begin(), cells.end(), [this](std::int32_t cell) {
        return cell < 0 || down_[static_cast<std::size_t>(cell)] == 0;
    });
    serving_[user] = found == cells.end() ? radio::kNoCell : *found;
    find_slot(user, links);
}

std::vector<std::uint32_t> AccessCrowd::set_down(std::size_t cell, bool down, const AccessLinks& links) {
    std::vector<std::uint32_t> moved;
    down_[cell] = down ? 1 : 0;
    for (std::size_t u = 0; u < config_.users(); ++u) {
        const auto cells = links.cells(u);
        if (std::find(cells.begin(), cells.end(), static_cast<std::int32_t>(cell)) == cells.end()) continue;
        if (mover_of_[u] >= 0) {
            measure(static_cast<std::size_t>(mover_of_[u]), links);
            continue;
        }
        const std::int32_t before = serving_[u];
        attach(u, links);
        if (serving_[u] != before) moved.push_back(static_cast<std::uint32_t>(u));
    }
    return moved;
}

void AccessCrowd::move(double seconds, AccessLinks& links) {
    for (Zone& zone : zones_) {
        zone.mobility->step(seconds);
        for (std::size_t i = 0; i < zone.users.size(); ++i) {
            const Place at = zone.mobility->place(static_cast<index_t>(i));
            const std::uint32_t u = zone.users[i];
            x_[u] = zone.x + at.x;
            y_[u] = zone.y + at.y;
            z_[u] = at.z;
        }
    }
    far_.clear();
    far_x_.clear();
    far_y_.clear();
    far_z_.clear();
    const double limit = config_.refresh_m * config_.refresh_m;
    for (std::size_t m = 0; m < movers_.size(); ++m) {
        const std::uint32_t u = movers_[m];
        const double east = x_[u] - anchor_x_[m], north = y_[u] - anchor_y_[m], up = z_[u] - anchor_z_[m];
        if (east * east + north * north + up * up <= limit) continue;
        anchor_x_[m] = x_[u];
        anchor_y_[m] = y_[u];
        anchor_z_[m] = z_[u];
        far_.push_back(u);
        far_x_.push_back(x_[u]);
        far_y_.push_back(y_[u]);
        far_z_.push_back(z_[u]);
    }
    links.find(far_, far_x_, far_y_, far_z_);
    for (const std::uint32_t u : far_) {
        find_slot(u, links);
        measure(static_cast<std::size_t>(mover_of_[u]), links);
    }
}

void AccessCrowd::measure(std::size_t mover, const AccessLinks& links) {
    const std::size_t k = static_cast<std::size_t>(config_.measured);
    const auto cells = links.cells(movers_[mover]);
    const auto received = links.received(movers_[mover]);
    // The serving cell is always measured, whoever is stronger: without its level nobody could be better by an offset.
    const int own = slot_[movers_[mover]];
    for (std::size_t s = 0; s < k; ++s) {
        const std::size_t heard = s + 1 == k && own >= static_cast<int>(k) ? static_cast<std::size_t>(own) : s;
        const std::int32_t cell = cells[heard];
        const bool silent = cell < 0 || down_[static_cast<std::size_t>(cell)] != 0;
        measured_[mover * k + s] = silent ? radio::kNoCell : cell;
        if (silent) continue;
        rsrp_[mover * k + s] =
            10.0 * std::log10(static_cast<double>(received[heard])) + element_db_[static_cast<std::size_t>(cell)];
    }
}

double AccessCrowd::rsrp(std::size_t user, const AccessLinks& links) const {
    const double received = static_cast<double>(links.received(user)[static_cast<std::size_t>(slot_[user])]);
    return 10.0 * std::log10(received) + element_db_[static_cast<std::size_t>(serving_[user])];
}

void AccessCrowd::find_slot(std::size_t user, const AccessLinks& links) {
    const auto cells = links.cells(user);
    const auto found = std::find(cells.begin(), cells.end(), serving_[user]);
    slot_[user] =
        serving_[user] < 0 || found == cells.end() ? std::int8_t{-1} : static_cast<std::int8_t>(found - cells.begin());
}

const std::vector<radio::MoveEvent>& AccessCrowd::decide(double time_ms, const AccessLinks& links,
                                                         std::span<const double> sinr_db) {
    events_.clear();
    if (!tracker_) return events_;
    events_ = tracker_->step(time_ms, measured_, rsrp_, sinr_db);
    for (radio::MoveEvent& event : events_) {
        event.user = movers_[event.user];
        serving_[event.user] = event.to;
        find_slot(event.user, links);
    }
    return events_;
}

void AccessCrowd::check_lead(std::size_t user, const Place& at) const {
    const std::string who = "user " + std::to_string(user);
    if (user >= config_.users()) throw InvalidArgument(who + ": there are " + std::to_string(config_.users()));
    if (config_.user_walk[user] != kLed)
        throw InvalidArgument(who + " is not led: it was not built to be moved from outside");
    if (!config_.holds(at.x, at.y)) {
        throw InvalidArgument(who + ": expected a place in the map, got (" + std::to_string(at.x) + ", " +
                              std::to_string(at.y) + ") m");
    }
    if (!(at.z >= 0.0 && at.z <= 1e5)) {
        throw InvalidArgument(who + ": expected a height of 0 to 100000 m, got " + std::to_string(at.z));
    }
}

void AccessCrowd::lead(std::size_t user, const Place& at) {
    x_[user] = at.x;
    y_[user] = at.y;
    z_[user] = at.z;
}

}  // namespace tiertwin::plant
