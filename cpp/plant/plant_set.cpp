// What may be set from outside: set-points, load, background, routes, failures. Everything is checked before anything
// changes.
#include <algorithm>
#include <cmath>
#include <string>

#include "base/error.hpp"
#include "plant/plant.hpp"

namespace tiertwin::plant {
namespace {

constexpr double kChoices = 4294967296.0;  // a tier is drawn with 32 bits
constexpr double kShareSlack = 1e-9;

void expect_count(const char* name, std::size_t got, index_t expected, const char* unit) {
    if (static_cast<index_t>(got) == expected) return;
    throw InvalidArgument(std::string(name) + ": expected " + std::to_string(expected) + " values (one per " + unit +
                          "), got " + std::to_string(got));
}

void expect_not_negative(const char* name, std::span<const double> values) {
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (!(values[i] >= 0.0 && std::isfinite(values[i]))) {
            throw InvalidArgument(std::string(name) + "[" + std::to_string(i) +
                                  "]: expected a finite number of at least 0, got " + std::to_string(values[i]));
        }
    }
}

void expect_known(const char* what, index_t id, index_t count) {
    if (id >= 0 && id < count) return;
    throw InvalidArgument(std::string("expected a ") + what + " from 0 to " + std::to_string(count - 1) + ", got " +
                          std::to_string(id));
}

}  // namespace

namespace {

// Every row of `shares` is one of known rows and may be executed.
void check_shares(const char* what, std::span<const std::int64_t> row_of, index_t rows,
                  std::span<const double> shares) {
    expect_count("shares", shares.size(), static_cast<index_t>(row_of.size()) * kTiers,
                 (std::string(what) + " and tier").c_str());
    for (std::size_t i = 0; i < row_of.size(); ++i) {
        expect_known(what, row_of[i], rows);
        const std::span<const double> row = shares.subspan(i * kTiers, kTiers);
        expect_not_negative("shares", row);
        const double sum = row[0] + row[1] + row[2] + row[3];
        if (sum > 1.0 + kShareSlack) {
            throw InvalidArgument("shares of " + std::string(what) + " " + std::to_string(row_of[i]) +
                                  ": expected a sum of at most 1, got " + std::to_string(sum) +
                                  "; scale the row down or give the rest to a tier");
        }
    }
}

// Running sums of a row, on the scale of a choice.
void set_threshold(std::array<std::int64_t, kTiers>& threshold, std::span<const double> row) {
    double sum = 0;
    for (std::size_t tier = 0; tier < kTiers; ++tier) {
        sum += row[tier];
        threshold[tier] = std::llround(std::min(sum, 1.0) * kChoices);
    }
}

}  // namespace

void Plant::set_shares(std::span<const std::int64_t> device, std::span<const double> shares) {
    if (users_) throw InvalidArgument("shares: with radio access they are a group's; use set_group_shares");
    check_shares("device", device, config_.devices(), shares);
    for (std::size_t i = 0; i < device.size(); ++i) {
        set_threshold(devices_[static_cast<std::size_t>(device[i])].threshold, shares.subspan(i * kTiers, kTiers));
    }
}

void Plant::set_group_shares(std::span<const std::int64_t> group, std::span<const double> shares) {
    if (!users_) throw InvalidArgument("shares: without radio access they are a device's; use set_shares");
    check_shares("group", group, config_.groups(), shares);
    for (std::size_t i = 0; i < group.size(); ++i) {
        set_threshold(users_->threshold[static_cast<std::size_t>(group[i])], shares.subspan(i * kTiers, kTiers));
    }
}

void Plant::set_load(std::span<const double> multiplier) {
    expect_count("load", multiplier.size(), config_.sites(), "site");
    expect_not_negative("load", multiplier);
    arrivals_.set_load(now_, multiplier);
}

void Plant::set_background(std::span<const double> mbps) {
    expect_count("background", mbps.size(), config_.links(), "directed link");
    expect_not_negative("background", mbps);
    const double elapsed_s = static_cast<double>(now_ - background_since_) * 1e-9;
    background_since_ = now_;
    for (std::size_t l = 0; l < links_.size(); ++l) {
        link_background_mb_[l] += links_[l].background_mbps() * elapsed_s;
        if (around_.capacities_move()) around_.link_capacity_mb[l] += links_[l].capacity_mbps() * elapsed_s;
        links_[l].set_background(pool_, now_, mbps[l]);
        events_.set(link_station(static_cast<index_t>(l)), links_[l].next(pool_));
    }
}

void Plant::set_routes(std::span<const std::int64_t> site_ptr, std::span<const std::int64_t> site_links,
                       std::span<const std::int64_t> fog_ptr, std::span<const std::int64_t> fog_links) {
    const auto copy = [](std::span<const std::int64_t> values) { return std::vector(values.begin(), values.end()); };
    validate_routes("route_site", copy(site_ptr), copy(site_links), config_.sites(), config_.links());
    validate_routes("route_fog", copy(fog_ptr), copy(fog_links), config_.fogs(), config_.links());
    routes_.resize(2 * cells_.size());
    for (std::size_t s = 0; s < cells_.size(); ++s) {
        const auto fog = static_cast<std::size_t>(config_.site_fog[s]);
        for (const std::size_t cloud : {0U, 1U}) {
            Hops& hops = routes_[2 * s + cloud];
            hops = {static_cast<std::int32_t>(hops_.size()), 0, 0, 0};
            const auto append = [&](std::span<const std::int64_t> ptr, std::span<const std::int64_t> links,
                                    std::size_t row, std::size_t part) {
                for (auto i = static_cast<std::size_t>(ptr[row]); i < static_cast<std::size_t>(ptr[row + 1]); ++i) {
                    const auto l = static_cast<std::size_t>(links[i]);
                    hops_.push_back({static_cast<std::int32_t>(l), flow_at_link(l, 2 * s + part)});
                    hops.back += links_[l].propagation();
                }
                return static_cast<std::int32_t>(hops_.size());
            };
            hops.fog = hops.end = append(site_ptr, site_links, s, 0);
            if (cloud == 1) hops.end = append(fog_ptr, fog_links, fog, 1);
        }
    }
    if (config_.link_fifo) return;
    for (std::size_t l = 0; l < links_.size(); ++l) {
        links_[l].grow(pool_, now_, static_cast<index_t>(link_flows_[l].size()) * config_.classes());
        events_.set(link_station(static_cast<index_t>(l)), links_[l].next(pool_));
    }
    for (std::size_t s = 0; s < cells_.size(); ++s) grant_uplink(s);
}

std::int32_t Plant::flow_at_link(std::size_t link, std::size_t part) {
    std::vector<std::size_t>& known = link_flows_[link];
    const auto place = std::find(known.begin(), known.end(), part);
    const auto flow = (place - known.begin()) * config_.classes();
    if (place == known.end()) known.push_back(part);
    return static_cast<std::int32_t>(flow);
}

void Plant::set_site_shares(index_t site, std::span<const double> cpu_ghz, std::span<const double> uplink_mbps) {
    expect_known("site", site, config_.sites());
    expect_count("cpu", cpu_ghz.size(), 3 * config_.classes(), "tier (edge, fog, cloud) and class");
    expect_count("uplink", uplink_mbps.size(), 2 * config_.classes(),
                 "part of the route (to the fog, on to the cloud) and class");
    expect_not_negative("cpu", cpu_ghz);
    expect_not_negative("uplink", uplink_mbps);
    const auto s = static_cast<std::size_t>(site), classes = static_cast<std::size_t>(config_.classes());
    for (const Tier tier : {Tier::kEdge, Tier::kFog, Tier::kCloud}) {
        const std::size_t q = server_of(s, tier);
        servers_[q].grant(now_, flow_at_server(s, tier),
                          cpu_ghz.subspan((static_cast<std::size_t>(tier) - 1) * classes, classes));
        events_.set(server_station(static_cast<index_t>(q)), servers_[q].next());
    }
    uplink_shares_[s].assign(uplink_mbps.begin(), uplink_mbps.end());
    if (!config_.link_fifo) grant_uplink(s);
}

// On the links of the routes as they are now: flows on those of before keep what they have until they are empty.
void Plant::grant_uplink(std::size_t site) {
    if (uplink_shares_[site].empty()) return;
    const Hops& hops = route(site, Tier::kCloud);
    const auto classes = static_cast<std::size_t>(config_.classes());
    for (std::int32_t i = hops.begin; i < hops.end; ++i) {
        const Hop hop = hops_[static_cast<std::size_t>(i)];
        Link& link = links_[static_cast<std::size_t>(hop.link)];
        link.grant(pool_, now_, hop.flow,
                   std::span<const double>(uplink_shares_[site]).subspan(i < hops.fog ? 0 : classes, classes));
        events_.set(link_station(hop.link), link.next(pool_));
    }
}

void Plant::fail_link(index_t link) {
    expect_known("directed link", link, config_.links());
    link_reasons_[static_cast<std::size_t>(link)] |= static_cast<std::uint8_t>(Reason::kOrdered);
    settle_link(static_cast<std::size_t>(link));
}

void Plant::repair_link(index_t link) {
    expect_known("directed link", link, config_.links());
    link_reasons_[static_cast<std::size_t>(link)] &= static_cast<std::uint8_t>(~static_cast<int>(Reason::kOrdered));
    settle_link(static_cast<std::size_t>(link));
}

void Plant::fail_server(index_t server) {
    expect_known("server", server, config_.servers());
    server_reasons_[static_cast<std::size_t>(server)] |= static_cast<std::uint8_t>(Reason::kOrdered);
    settle_server(static_cast<std::size_t>(server));
}

void Plant::repair_server(index_t server) {
    expect_known("server", server, config_.servers());
    server_reasons_[static_cast<std::size_t>(server)] &= static_cast<std::uint8_t>(~static_cast<int>(Reason::kOrdered));
    settle_server(static_cast<std::size_t>(server));
}

// Up or down as its reasons say. Failing twice evicts twice, as it did: what joined in between cannot be.
void Plant::settle_link(std::size_t link) {
    Link& at = links_[link];
    link_down_[link].mark(now_, link_reasons_[link] != 0);
    if (link_reasons_[link] == 0) return at.set_up(true);
    for (const TaskId id : at.evict(pool_, now_)) lose(id);
    at.set_up(false);
    events_.set(link_station(static_cast<index_t>(link)), kNever);
}

void Plant::settle_server(std::size_t server) {
    Server& at = servers_[server];
    server_down_[server].mark(now_, server_reasons_[server] != 0);
    if (server_reasons_[server] == 0) return at.set_up(true);
    for (const TaskId id : at.evict(now_)) lose(id);
    at.set_up(false);
    events_.set(server_station(static_cast<index_t>(server)), kNever);
}

}  // namespace tiertwin::plant
