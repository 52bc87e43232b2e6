// A plant's tasks over the air: enabling, uploads, homes.
#include "plant/plant_users.hpp"

#include <algorithm>
#include <string>

#include "base/error.hpp"
#include "plant/plant.hpp"
#include "plant/units.hpp"

namespace tiertwin::plant {
namespace {

constexpr double kMostMegabits = 1e5;  // mean of a class: its packets, ever so unlucky, are counted in 32 bits

void expect_same(const char* name, const std::vector<std::int64_t>& got, const std::vector<std::int64_t>& expected) {
    for (std::size_t i = 0; i < got.size(); ++i) {
        if (got[i] == expected[i]) continue;
        throw InvalidArgument(std::string(name) + "[" + std::to_string(i) + "]: expected the device's, " +
                              std::to_string(expected[i]) + ", got " + std::to_string(got[i]));
    }
}

}  // namespace

PlantUsers::PlantUsers(const Config& config, const AccessConfig& access, const Chance& chance)
    : network(access), steps_a_second(std::max<std::int64_t>(1, 1000 / access.step_ms)) {
    std::array<std::int64_t, kTiers> local{};
    local.fill(std::int64_t{1} << 32);
    threshold.assign(static_cast<std::size_t>(config.groups()), local);
    books.resize(threshold.size());
    of_site.resize(static_cast<std::size_t>(config.sites()));
    place.resize(access.users());
    for (const double mbps : config.ring_rate_mbps) log_ring_mbps.push_back(std::log(mbps));
    reported.resize(of_site.size());
    slow.resize(access.users());
    cells_of.resize(of_site.size());
    for (std::size_t c = 0; c < access.cells(); ++c)
        cells_of[static_cast<std::size_t>(access.cell_site[c])].push_back(static_cast<std::uint32_t>(c));
    cell_at_report.resize(access.cells());
    for (std::size_t s = 0; s < of_site.size(); ++s) {
        const PhiloxBlock words = chance.block(s, Purpose::kBaseStation, 0);
        clock.push_back(std::llround((2.0 * uniform(words[2], words[3]) - 1.0) * config.clock_offset_s * 1e9));
    }
}

std::int32_t PlantUsers::ring_of(double mbps) const {
    const auto& rings = log_ring_mbps;
    if (!(mbps > 0.0)) return static_cast<std::int32_t>(std::min_element(rings.begin(), rings.end()) - rings.begin());
    const double level = std::log(mbps);
    const auto nearer = [level](double a, double b) { return std::abs(a - level) < std::abs(b - level); };
    return static_cast<std::int32_t>(std::min_element(rings.begin(), rings.end(), nearer) - rings.begin());
}

std::int32_t PlantUsers::ring_of(double mbps, std::int32_t now) const {
    const std::int32_t nearest = ring_of(mbps);
    if (nearest == now || !(mbps > 0.0)) return nearest;
    const auto away = [&](std::int32_t ring) {
        return std::abs(log_ring_mbps[static_cast<std::size_t>(ring)] - std::log(mbps));
    };
    return away(now) - away(nearest) > kStayInRing ? nearest : now;
}

void PlantUsers::follow(std::size_t user) {
    const double now = mbps(user);
    if (!(now > 0.0)) return;
    const double each = 1.0 / now;
    slow[user] = slow[user] > 0.0 ? slow[user] + (each - slow[user]) / static_cast<double>(steps_a_second) : each;
}

void PlantUsers::put(std::size_t user, std::int32_t site) {
    std::vector<std::uint32_t>& list = of_site[static_cast<std::size_t>(site)];
    place[user] = static_cast<std::uint32_t>(list.size());
    list.push_back(static_cast<std::uint32_t>(user));
}

void PlantUsers::take(std::size_t user, std::int32_t site) {
    std::vector<std::uint32_t>& list = of_site[static_cast<std::size_t>(site)];
    list[place[user]] = list.back();
    place[list.back()] = place[user];
    list.pop_back();
}

// -- enabling --------------------------------------------------------------------------------------------------------

void Plant::check_access(const AccessConfig& access) const {
    access.validate();
    const auto expect_count = [](const char* what, std::size_t got, index_t expected) {
        if (static_cast<index_t>(got) == expected) return;
        throw InvalidArgument(std::string("access: expected ") + what + " " + std::to_string(expected) + ", got " +
                              std::to_string(got));
    };
    if (around_.sleep) throw InvalidArgument("access: its cells sleep themselves (sleep_after_ms); leave `sleep` out");
    expect_count("as many users as devices,", access.users(), config_.devices());
    expect_count("as many classes as the plant,", access.classes(), config_.classes());
    expect_same("user_class", access.user_class, config_.device_class);
    expect_same("user_key", access.user_key, config_.device_key);
    for (std::size_t c = 0; c < access.cells(); ++c) {
        if (access.cell_site[c] < config_.sites()) continue;
        throw InvalidArgument("cell_site[" + std::to_string(c) + "]: expected a site from 0 to " +
                              std::to_string(config_.sites() - 1) + ", got " + std::to_string(access.cell_site[c]));
    }
    for (std::size_t k = 0; k < access.classes(); ++k) {
        if (config_.class_megabits[k] > kMostMegabits) {
            throw InvalidArgument("class_megabits[" + std::to_string(k) + "]: expected at most " +
                                  std::to_string(kMostMegabits) + " Mb over the air, got " +
                                  std::to_string(config_.class_megabits[k]));
        }
        if (access.class_report_s[k] > 0) {
            throw InvalidArgument("class_report_s[" + std::to_string(k) +
                                  "]: expected 0, as sites report for their groups, got " +
                                  std::to_string(access.class_report_s[k]));
        }
    }
    if (access.cell_report_s > 0) {
        throw InvalidArgument("cell_report_s: expected 0, as sites report for their groups, got " +
                              std::to_string(access.cell_report_s));
    }
}

void Plant::enable_access(const AccessConfig& config) {
    expect_fresh("access", users_ != nullptr);
    check_access(config);
    users_ = std::make_unique<PlantUsers>(config_, config, chance_);
    for (std::size_t d = 0; d < devices_.size(); ++d) {
        devices_[d].unseen = users_->network.reports().unseen(d);
        devices_[d].group -= devices_[d].group % static_cast<std::int32_t>(config_.rings());
        if (!devices_[d].unseen) users_->put(d, devices_[d].site);
    }
    reports_ = ReportClock(config_, chance_, true);
    events_.set(air_station(), 0);
}

AccessNetwork& Plant::access() {
    if (!users_) throw InvalidArgument("expected a plant with radio access, got one without; see enable_access");
    return users_->network;
}

// -- over the air ----------------------------------------------------------------------------------------------------

void Plant::send_up(TaskId id) {
    PlantUsers& users = *users_;
    const Task& task = pool_[id];
    const double bits = std::max(1.0, std::ceil(task.megabits * 1e6));
    const double packets = std::ceil(bits / kPacketBits);
    users.network.send_up(static_cast<std::size_t>(task.device), static_cast<std::uint32_t>(packets),
                          static_cast<std::uint32_t>(std::ceil(bits / packets)), static_cast<std::uint32_t>(id), now_);
    if (users.in_air++ == 0) {
        events_.set(air_station(), std::min(users.network.step_end(), (now_ / kSlot + 1) * kSlot));
    }
}

void Plant::air() {
    PlantUsers& users = *users_;
    const bool within = users.steps > 0 && now_ < users.network.step_end();
    within ? users.network.run_tasks(now_) : users.network.run_until(now_);
    for (const AirFinished& task : users.network.air().finished()) land(task);
    users.network.air().forget_finished();
    if (users.network.open()) find_homes();
    const Time step_end = users.network.step_end();
    events_.set(air_station(), users.in_air > 0 ? std::min(step_end, (now_ / kSlot + 1) * kSlot) : step_end);
}

void Plant::land(const AirFinished& finished) {
    --users_->in_air;
    const auto id = static_cast<TaskId>(finished.tag);
    Task& task = pool_[id];
    Device& device = devices_[static_cast<std::size_t>(task.device)];
    const double airtime_s = static_cast<double>(finished.blocks) / static_cast<double>(finished.prbs) * 1e-3;
    task.energy_nj = whole_nj(config_.class_transmit_w[task.service] * airtime_s);
    counts_of(device).energy_nj += task.energy_nj;
    if (finished.lost) return lose(id);
    task.site = static_cast<std::uint16_t>(device.site);
    set_out(id);
}

// -- homes -----------------------------------------------------------------------------------------------------------

void Plant::find_homes() {
    PlantUsers& users = *users_;
    for (const std::uint32_t user : users.network.moved()) users.slow[user] = 0.0;
    for (const std::uint32_t user : users.network.crowd().movers()) users.follow(user);
    if (users.steps == 0) {
        for (std::size_t u = 0; u < devices_.size(); ++u) find_home(u);
    } else {
        for (const std::uint32_t user : users.network.moved()) find_home(user);
    }
    if (users.steps > 0 && users.steps % users.steps_a_second == 0) {
        for (const std::uint32_t user : users.network.crowd().movers()) find_home(user);
    }
    ++users.steps;
}

void Plant::find_home(std::size_t u) {
    PlantUsers& users = *users_;
    Device& device = devices_[u];
    const std::int32_t cell = users.network.crowd().serving(u);
    if (cell < 0) return;
    const auto site = static_cast<std::int32_t>(users.network.config().cell_site[static_cast<std::size_t>(cell)]);
    const auto classes = static_cast<std::int32_t>(config_.classes()),
               rings = static_cast<std::int32_t>(config_.rings());
    const double mbps = users.usual_mbps(u);
    const bool stays = users.steps > 0 && site == device.site;
    const std::int32_t ring = stays ? users.ring_of(mbps, device.group % rings) : users.ring_of(mbps);
    const std::int32_t group = (site * classes + device.service) * rings + ring;
    if (group == device.group) return;
    settle(u);
    if (site != device.site && !device.unseen) {
        users.take(u, device.site);
        users.put(u, site);
    }
    device.site = site;
    device.group = group;
}

// What it did so far belongs to the group it is in.
void Plant::settle(std::size_t u) {
    Device& device = devices_[u];
    DeviceClock& clock = clocks_[u];
    flush_cpu(device);
    if (device.unseen) return;
    GroupBook& book = users_->books[static_cast<std::size_t>(device.group)];
    const Time busy = device.cpu_assigned - std::max<Time>(0, device.cpu_free - now_);
    book.cpu += busy - clock.cpu_busy_at_report;
    book.present += now_ - clock.last_report;
    clock.cpu_busy_at_report = busy;
    clock.last_report = now_;
}

}  // namespace tiertwin::plant
