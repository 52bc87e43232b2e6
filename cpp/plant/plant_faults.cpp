// Faults injected into a plant, and the counters in which they show.
#include <algorithm>
#include <cmath>
#include <string>

#include "base/error.hpp"
#include "plant/plant.hpp"
#include "plant/units.hpp"

namespace tiertwin::plant {
namespace {

constexpr double kNormalAbove = 50.0;  // mean from which on a Poisson count is drawn as a normal

double counted(double mean, const PhiloxBlock& words) {
    if (!(mean > 0.0)) return 0.0;
    if (mean > kNormalAbove) return std::max(0.0, std::round(mean + std::sqrt(mean) * normals(words).first));
    double term = std::exp(-mean), sum = term, count = 0;
    const double drawn = uniform(words[0], words[1]);
    while (drawn >= sum && term > 0.0) {
        count += 1.0;
        term *= mean / count;
        sum += term;
    }
    return count;
}

void expect_part(const char* what, index_t id, index_t count) {
    if (id >= 0 && id < count) return;
    throw InvalidArgument(std::string("fault: expected a ") + what + " from 0 to " + std::to_string(count - 1) +
                          ", got " + std::to_string(id));
}

void expect_share(const char* what, double share, bool zero) {
    if (share <= 1.0 && (zero ? share >= 0.0 : share > 0.0)) return;
    throw InvalidArgument(std::string("fault: expected ") + what + (zero ? " from 0 to 1" : " above 0, at most 1") +
                          ", got " + std::to_string(share));
}

}  // namespace

// -- what ails what --------------------------------------------------------------------------------------------------

void Plant::enable_faults() {
    expect_fresh("faults", around_.faults.has_value());
    Faults& faults = around_.faults.emplace();
    faults.links.resize(links_.size());
    for (std::size_t l = 0; l < links_.size(); ++l) faults.links[l].clear_mbps = links_[l].capacity_mbps();
    faults.servers.resize(servers_.size());
    faults.silent.resize(cells_.size());
    faults.deaf.resize(cells_.size());
    around_.link_capacity_mb.resize(links_.size());
}

Faults& Plant::faults() {
    if (!around_.faults)
        throw InvalidArgument("fault: expected a plant with faults, got one without; see enable_faults");
    return *around_.faults;
}

void Plant::set_link_fault(index_t link, bool down, double capacity, double loss) {
    expect_part("directed link", link, config_.links());
    expect_share("a share of capacity", capacity, false);
    expect_share("a share lost", loss, true);
    const auto l = static_cast<std::size_t>(link);
    Faults::OnLink& at = faults().links[l];
    at.capacity = capacity;
    at.loss = loss;
    const double mbps = at.clear_mbps * capacity;
    if (links_[l].capacity_mbps() != mbps) set_capacity(l, mbps);
    if (mark(link_reasons_[l], Reason::kInjected, down)) settle_link(l);
}

void Plant::set_server_fault(index_t server, bool down, double speed) {
    expect_part("server", server, config_.servers());
    expect_share("a share of speed", speed, false);
    const auto q = static_cast<std::size_t>(server);
    Faults::OnServer& at = faults().servers[q];
    if (at.speed != speed) {
        at.speed = speed;
        servers_[q].set_speed(now_, config_.server_core_ghz[q] * speed);
        events_.set(server_station(server), servers_[q].next());
    }
    if (mark(server_reasons_[q], Reason::kInjected, down)) settle_server(q);
}

void Plant::set_site_fault(index_t site, bool silent, bool deaf) {
    expect_part("site", site, config_.sites());
    const auto s = static_cast<std::size_t>(site);
    Faults& all = faults();
    if (deaf && users_) {
        throw InvalidArgument("fault: expected no deaf site with radio access; fail its cells (set_down)");
    }
    all.silent[s] = silent ? 1 : 0;
    if (deaf == (all.deaf[s] != 0)) return;
    all.deaf[s] = deaf ? 1 : 0;
    cells_[s].set_up(!deaf);
    if (!deaf) return;
    for (const TaskId id : cells_[s].evict(now_)) lose(id);
    events_.set(static_cast<std::int32_t>(s), kNever);
}

bool Plant::mark(std::uint8_t& reasons, Reason reason, bool down) {
    const auto bit = static_cast<std::uint8_t>(reason);
    const std::uint8_t before = reasons;
    reasons = static_cast<std::uint8_t>(down ? reasons | bit : reasons & ~bit);
    return reasons != before;
}

bool Plant::lost_on_link(std::size_t link) {
    if (!around_.faults) return false;
    Faults::OnLink& at = around_.faults->links[link];
    if (!(at.loss > 0.0)) return false;
    const PhiloxBlock words = chance_.block(link, Purpose::kLinkLoss, at.crossed++);
    const bool lost = uniform(words[0], words[1]) < at.loss;
    at.lost += lost ? 1.0 : 0.0;
    return lost;
}

// -- reports ---------------------------------------------------------------------------------------------------------

Mouth::Fate Plant::fate_of(index_t site, std::uint64_t key, Purpose purpose, std::uint32_t number) const {
    Mouth::Fate fate = mouth_.fate(key, purpose, number);
    if (!around_.faults || site < 0) return fate;
    const auto s = static_cast<std::size_t>(site);
    const bool unheard = purpose == Purpose::kDeviceReport && around_.faults->deaf[s] != 0;
    fate.lost = fate.lost || around_.faults->silent[s] != 0 || unheard;
    return fate;
}

void Plant::count_link(std::size_t id, const Mouth::Fate& fate, std::uint32_t number) {
    if (!around_.faults) return;
    Faults::OnLink& at = around_.faults->links[id];
    const Link& link = links_[id];
    const double elapsed_s = static_cast<double>(now_ - link_reported_[id]) * 1e-9;
    const double mb =
        link.carried_mb() - link_mb_at_report_[id] + (link.up() ? link.background_mbps() * elapsed_s : 0.0);
    const double frames = std::round(mb / kFrameMb);
    const double bad = std::min(frames, counted(frames * at.loss, chance_.block(id, Purpose::kLinkFrames, number)));
    if (!fate.lost) {
        around_.keep(around_.faults->link_counters, {now_ + fate.delay,
                                                     now_,
                                                     static_cast<std::int32_t>(config_.link_site[id]),
                                                     static_cast<std::int32_t>(id),
                                                     {frames, bad, at.lost}});
    }
    at.lost = 0.0;
}

void Plant::count_server(std::size_t id, const Mouth::Fate& fate) {
    if (!around_.faults) return;
    Faults::OnServer& at = around_.faults->servers[id];
    const bool none = at.tasks == 0.0;
    if (!fate.lost) {
        around_.keep(around_.faults->server_counters,
                     {now_ + fate.delay,
                      now_,
                      static_cast<std::int32_t>(config_.server_site[id]),
                      static_cast<std::int32_t>(id),
                      {none ? kNotSent : at.least, none ? kNotSent : at.sum / at.tasks, at.tasks}});
    }
    at.least = at.sum = at.tasks = 0.0;
}

// A task that is done at a server; `due` was set to the time it came.
void Plant::count_served(std::size_t server, const Task& task) {
    if (!around_.faults) return;
    Faults::OnServer& at = around_.faults->servers[server];
    const double alone_s = task.gcycles / config_.server_core_ghz[server];
    if (!(alone_s > 0.0)) return;
    const double ratio = static_cast<double>(now_ - task.due) * 1e-9 / alone_s;
    at.least = at.tasks > 0.0 ? std::min(at.least, ratio) : ratio;
    at.sum += ratio;
    at.tasks += 1.0;
}

Batch<kCounterAttributes> Plant::take_link_counters(Time until) {
    std::vector<Report<kCounterAttributes>> nothing;
    return take_arrived(around_.faults ? around_.faults->link_counters : nothing, until, config_.sites());
}

Batch<kCounterAttributes> Plant::take_server_counters(Time until) {
    std::vector<Report<kCounterAttributes>> nothing;
    return take_arrived(around_.faults ? around_.faults->server_counters : nothing, until, config_.sites());
}

}  // namespace tiertwin::plant
