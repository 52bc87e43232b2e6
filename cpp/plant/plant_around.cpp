// The plant's surroundings: parts that wear, weather on links, base stations that sleep.
#include <algorithm>
#include <cmath>
#include <string>

#include "base/error.hpp"
#include "plant/plant.hpp"
#include "radio/backhaul.hpp"

namespace tiertwin::plant {

// -- enabling --------------------------------------------------------------------------------------------------------

void Plant::expect_fresh(const char* what, bool there) {
    if (now_ == 0 && batch_.empty() && !there) return;
    throw InvalidArgument(std::string(what) + ": expected a plant at time 0 without it, got one at " +
                          std::to_string(now_) + " ns" + (there ? " that has it" : "") +
                          "; make another plant for other " + what);
}

void Plant::enable_wear(WearConfig config) {
    expect_fresh("wear", around_.wear.has_value());
    const index_t links = config_.links() / 2;
    for (std::size_t p = 0; p < config.part_key.size(); ++p) {
        const std::int64_t key = config.part_key[p];
        const bool link = part_kind(key) == PartKind::kLink;
        const index_t count = link ? links : part_kind(key) == PartKind::kServer ? config_.servers() : 0;
        if (key >= 0 && part_id(key) < count) continue;
        throw InvalidArgument("part_key[" + std::to_string(p) + "]: expected an undirected link below " +
                              std::to_string(links) + " or 2^32 + a server below " + std::to_string(config_.servers()) +
                              ", got " + std::to_string(key));
    }
    around_.wear.emplace(std::move(config), chance_);
    const auto parts = static_cast<std::size_t>(around_.wear->parts());
    around_.done.resize(parts);
    around_.load.resize(parts);
    around_.failures_at_kpis.resize(parts);
    around_next_ = around_.next();
}

void Plant::enable_weather(WeatherConfig config) {
    expect_fresh("weather", around_.weather.has_value());
    for (std::size_t i = 0; i < config.link.size(); ++i) {
        if (config.link[i] >= 0 && 2 * config.link[i] < config_.links()) continue;
        throw InvalidArgument("link[" + std::to_string(i) + "]: expected an undirected link from 0 to " +
                              std::to_string(config_.links() / 2 - 1) + ", got " + std::to_string(config.link[i]));
    }
    around_.weather.emplace(std::move(config), chance_);
    around_.nominal_mbps = config_.link_capacity_mbps;
    around_.link_capacity_mb.resize(links_.size());
    follow_weather();
    around_next_ = around_.next();
}

void Plant::enable_sleep(SleepConfig config) {
    expect_fresh("sleep", around_.sleep.has_value());
    if (users_)
        throw InvalidArgument(
            "sleep: expected a plant without radio access, whose cells sleep themselves (sleep_after_ms)");
    around_.sleep.emplace(std::move(config), config_.site_cells);
    around_.station_j_at_kpis.resize(cells_.size());
    around_.asleep_s_at_kpis.resize(cells_.size());
    around_next_ = around_.next();
}

// -- events ----------------------------------------------------------------------------------------------------------

void Plant::surroundings() {
    Surroundings& a = around_;
    if (a.wear && a.wear->next_event() == now_) {
        const Wear::Event event = a.wear->step();
        const std::int64_t key = a.wear->config().part_key[static_cast<std::size_t>(event.part)];
        set_down(part_kind(key) == PartKind::kServer, static_cast<std::size_t>(part_id(key)), Reason::kWorn, !event.up);
    } else if (a.wear && a.wear->next_measurement() == now_) {
        measure_parts();
    } else if (a.weather && a.weather->next() == now_) {
        a.weather->step();
        follow_weather();
    } else {
        wake_site();
    }
    around_next_ = a.next();
}

void Plant::set_down(bool server, std::size_t id, Reason reason, bool down) {
    if (server) {
        if (mark(server_reasons_[id], reason, down)) settle_server(id);
    } else {
        for (const std::size_t directed : {2 * id, 2 * id + 1}) {
            if (mark(link_reasons_[directed], reason, down)) settle_link(directed);
        }
    }
}

void Plant::measure_parts() {
    Wear& wear = *around_.wear;
    const double period_s = wear.config().period_s;
    const auto share = [period_s](double now, double& before) {
        const double rate = (now - before) / period_s;
        before = now;
        return rate;
    };
    for (std::size_t p = 0; p < around_.load.size(); ++p) {
        const std::int64_t key = wear.config().part_key[p];
        const auto id = static_cast<std::size_t>(part_id(key));
        std::array<double, 2>& done = around_.done[p];
        if (part_kind(key) == PartKind::kServer) {
            const double ghz = config_.server_cores[id] * config_.server_core_ghz[id];
            around_.load[p] = share(servers_[id].done_gcycles(now_), done[0]) / ghz;
            continue;
        }
        around_.load[p] = 0;
        for (const std::size_t way : {0U, 1U}) {
            const Link& link = links_[2 * id + way];
            const double mbps = share(link.carried_mb(), done[way]) + link.background_mbps();
            around_.load[p] = std::max(around_.load[p], mbps / link.capacity_mbps());
        }
    }
    wear.measure(around_.load);
    if (config_.report_s == 0) return;
    for (std::size_t p = 0; p < around_.load.size(); ++p) {
        const std::int64_t key = wear.config().part_key[p];
        const auto id = static_cast<std::size_t>(part_id(key));
        const bool server = part_kind(key) == PartKind::kServer;
        const std::int64_t site = server ? config_.server_site[id] : config_.link_site[2 * id];
        const Mouth::Fate fate =
            fate_of(site, static_cast<std::uint64_t>(key), Purpose::kWearReport, wear.measurements());
        if (fate.lost) continue;
        const Signals& felt = wear.signals(static_cast<index_t>(p));
        double celsius = std::abs(felt.temperature_c), vibration = felt.vibration;  // blur cuts below 0
        mouth_.blur(celsius, vibration, static_cast<std::uint64_t>(key), Purpose::kWearReport, wear.measurements(), 0);
        const bool up = (server ? server_reasons_[id] : link_reasons_[2 * id]) == 0;
        around_.keep(server ? around_.server_sensors : around_.link_sensors,
                     {now_ + fate.delay,
                      now_,
                      static_cast<std::int32_t>(site),
                      static_cast<std::int32_t>(id),
                      {std::copysign(celsius, felt.temperature_c), vibration, felt.errors, up ? 1.0 : 0.0}});
    }
}

void Plant::follow_weather() {
    const Weather& weather = *around_.weather;
    for (std::size_t i = 0; i < weather.bits().size(); ++i) {
        const auto link = static_cast<std::size_t>(weather.config().link[i]);
        const int bits = weather.bits()[i];
        const auto top = static_cast<double>(weather.config().top[i]);
        const double part = bits / top, least = radio::kLeastBits / top;  // an outage leaves the slowest step, and down
        for (const std::size_t directed : {2 * link, 2 * link + 1}) {
            double mbps = std::max(part, least) * around_.nominal_mbps[directed];
            if (around_.faults) {
                Faults::OnLink& fault = around_.faults->links[directed];
                fault.clear_mbps = mbps;
                mbps *= fault.capacity;
            }
            if (links_[directed].capacity_mbps() != mbps) set_capacity(directed, mbps);
        }
        set_down(false, link, Reason::kOutage, bits == 0);
        const Mouth::Fate fate = fate_of(config_.link_site[2 * link], link, Purpose::kRainReport, weather.steps());
        if (config_.report_s == 0 || fate.lost) continue;
        double loss_db = weather.loss_db()[i], unused = 0;
        mouth_.blur(loss_db, unused, link, Purpose::kRainReport, weather.steps(), 0);
        around_.keep(around_.weather_reports,
                     {now_ + fate.delay,
                      now_,
                      static_cast<std::int32_t>(config_.link_site[2 * link]),
                      static_cast<std::int32_t>(link),
                      {loss_db, static_cast<double>(bits), part * around_.nominal_mbps[2 * link]}});
    }
}

void Plant::set_capacity(std::size_t directed, double mbps) {
    Link& link = links_[directed];
    // Integrals since `background_since_` are worked out with what holds at their end: put right what held before.
    const double elapsed_s = static_cast<double>(now_ - background_since_) * 1e-9;
    const double background = link.background_mbps(), capacity = link.capacity_mbps();
    link.set_capacity(pool_, now_, mbps);
    link_background_mb_[directed] += (background - link.background_mbps()) * elapsed_s;
    around_.link_capacity_mb[directed] += (capacity - mbps) * elapsed_s;
    events_.set(link_station(static_cast<index_t>(directed)), link.next(pool_));
}

void Plant::wake_site() {
    std::size_t site = 0;
    for (const TaskId id : around_.sleep->woken(site)) start_upload(site, id);
    if (cells_[site].present() == 0) around_.sleep->idle(now_, site);
}

// -- KPIs and reports ------------------------------------------------------------------------------------------------

void Plant::add_kpis(Kpis& taken) {
    Surroundings& a = around_;
    const double elapsed_s = static_cast<double>(now_ - taken.from) * 1e-9;
    const auto since = [](auto now, auto& before) {
        const auto gained = now - before;
        before = now;
        return gained;
    };
    if (a.wear || a.capacities_move()) {
        for (DownTime& d : link_down_)
            taken.link_down_s.push_back(static_cast<double>(since(d.until(now_), d.at_kpis)) * 1e-9);
        for (DownTime& d : server_down_)
            taken.server_down_s.push_back(static_cast<double>(since(d.until(now_), d.at_kpis)) * 1e-9);
    }
    if (a.wear) {
        taken.link_failures.resize(links_.size() / 2);
        taken.server_failures.resize(servers_.size());
        for (std::size_t p = 0; p < a.load.size(); ++p) {
            const std::int64_t key = a.wear->config().part_key[p];
            auto& counts = part_kind(key) == PartKind::kServer ? taken.server_failures : taken.link_failures;
            counts[static_cast<std::size_t>(part_id(key))] =
                since(a.wear->failures(static_cast<index_t>(p)), a.failures_at_kpis[p]);
        }
    }
    for (std::size_t l = 0; a.capacities_move() && l < links_.size(); ++l) {
        const double now_mbps = links_[l].capacity_mbps();
        const double mb = a.link_capacity_mb[l] + now_mbps * static_cast<double>(now_ - background_since_) * 1e-9;
        const double mean = elapsed_s > 0 ? mb / elapsed_s : now_mbps;
        a.link_capacity_mb[l] = 0;
        taken.link_capacity_mbps.push_back(mean);
        taken.link_utilisation[l] *= now_mbps / mean;
    }
    for (std::size_t s = 0; a.sleep && s < cells_.size(); ++s) {
        const double joule = a.sleep->energy_j(now_, s, cells_[s].busy_s(now_));
        taken.station_j.push_back(since(joule, a.station_j_at_kpis[s]));
        taken.station_asleep_s.push_back(since(a.sleep->asleep_s(now_, s), a.asleep_s_at_kpis[s]));
    }
}

Batch<kSensorAttributes> Plant::take_link_sensors(Time until) {
    return take_arrived(around_.link_sensors, until, config_.sites());
}
Batch<kSensorAttributes> Plant::take_server_sensors(Time until) {
    return take_arrived(around_.server_sensors, until, config_.sites());
}
Batch<kWeatherAttributes> Plant::take_weather_reports(Time until) {
    return take_arrived(around_.weather_reports, until, config_.sites());
}

}  // namespace tiertwin::plant
