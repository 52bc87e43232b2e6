// What can be seen of the plant: its reports, the KPIs of results, and the truth for tests.

#include "base/error.hpp"
#include "plant/plant.hpp"
#include "plant/units.hpp"

namespace tiertwin::plant {

// -- reports ---------------------------------------------------------------------------------------------------------

void Plant::report() {
    const ReportClock::Turn turn = reports_.turn();
    const auto id = static_cast<std::size_t>(turn.id);
    const std::uint32_t number = reports_.number();
    reports_.step();
    expect_report(reports_.soon());
    switch (turn.sender) {
        case Sender::kDevice:
            return report_device(id, number);
        case Sender::kServer:
            return report_server(id, number);
        case Sender::kLink:
            return report_link(id, number);
        case Sender::kBaseStation:
            return report_groups(id, number);
    }
}

// Senders report in the order of their phases, all over memory: fetch one while others report.
void Plant::expect_report(const ReportClock::Turn& turn) const {
    if (turn.sender != Sender::kDevice) return;
    const auto id = static_cast<std::size_t>(turn.id);
    __builtin_prefetch(&devices_[id], 1);
    __builtin_prefetch(reinterpret_cast<const char*>(&devices_[id]) + 64, 1);
    __builtin_prefetch(&clocks_[id], 1);
}

void Plant::report_device(std::size_t id, std::uint32_t number) {
    Device& device = devices_[id];
    Counts& counts = device.counts;
    DeviceClock& clock = clocks_[id];
    flush_cpu(device);
    const std::uint64_t key = clock.key;
    const Mouth::Fate fate = fate_of(device.site, key, Purpose::kDeviceReport, number);
    const Time elapsed = now_ - clock.last_report;
    const Time cpu_busy = device.cpu_assigned - std::max<Time>(0, device.cpu_free - now_);
    if (!fate.lost) {
        const auto ring = static_cast<std::size_t>(device.group % config_.rings());
        double task_rate = counts.generated / seconds(elapsed);
        double radio_mbps = config_.ring_rate_mbps[ring] * radio_[static_cast<std::size_t>(device.site)].factor;
        double latency_ms = counts.completed > 0 ? seconds(counts.latency_ns) * 1e3 / counts.completed : 0.0;
        double energy_j = static_cast<double>(counts.energy_nj) * 1e-9;
        mouth_.blur(task_rate, radio_mbps, key, Purpose::kDeviceReport, number, 0);
        mouth_.blur(latency_ms, energy_j, key, Purpose::kDeviceReport, number, 1);
        const double cpu_load = static_cast<double>(cpu_busy - clock.cpu_busy_at_report) / static_cast<double>(elapsed);
        device_reports_.push_back({now_ + fate.delay,
                                   now_ + clock.offset,
                                   device.site,
                                   static_cast<std::int32_t>(id),
                                   {task_rate, radio_mbps, cpu_load, static_cast<double>(device.cpu.count),
                                    counts.completed > 0 ? latency_ms : kNotSent, static_cast<double>(counts.completed),
                                    static_cast<double>(counts.missed), energy_j}});
    }
    clock.last_report = now_;
    clock.cpu_busy_at_report = cpu_busy;
    counts = {};
}

void Plant::report_server(std::size_t id, std::uint32_t number) {
    const Server& server = servers_[id];
    const Mouth::Fate fate = fate_of(config_.server_site[id], id, Purpose::kServerReport, number);
    const double done_gcycles = server.done_gcycles(now_);
    if (!fate.lost) {
        double load_ghz = (done_gcycles - server_done_at_report_[id]) / seconds(now_ - server_reported_[id]);
        double unused = 0;
        mouth_.blur(load_ghz, unused, id, Purpose::kServerReport, number, 0);
        server_reports_.push_back({now_ + fate.delay,
                                   now_,
                                   static_cast<std::int32_t>(config_.server_site[id]),
                                   static_cast<std::int32_t>(id),
                                   {load_ghz, server.waiting(), server.up() ? 1.0 : 0.0}});
    }
    count_server(id, fate);
    server_reported_[id] = now_;
    server_done_at_report_[id] = done_gcycles;
}

void Plant::report_link(std::size_t id, std::uint32_t number) {
    const Link& link = links_[id];
    const Mouth::Fate fate = fate_of(config_.link_site[id], id, Purpose::kLinkReport, number);
    if (!fate.lost) {
        double load_mbps =
            (link.carried_mb() - link_mb_at_report_[id]) / seconds(now_ - link_reported_[id]) + link.background_mbps();
        double background_mbps = link.background_mbps();  // the router counts it apart, by class of service
        mouth_.blur(load_mbps, background_mbps, id, Purpose::kLinkReport, number, 0);
        link_reports_.push_back({now_ + fate.delay,
                                 now_,
                                 static_cast<std::int32_t>(config_.link_site[id]),
                                 static_cast<std::int32_t>(id),
                                 {load_mbps, link.capacity_mbps(), link.up() ? 1.0 : 0.0, background_mbps}});
    }
    count_link(id, fate, number);
    link_reported_[id] = now_;
    link_mb_at_report_[id] = link.carried_mb();
}

Batch<kDeviceAttributes> Plant::take_device_reports(Time until) {
    return take_arrived(device_reports_, until, config_.sites());
}
Batch<kServerAttributes> Plant::take_server_reports(Time until) {
    return take_arrived(server_reports_, until, config_.sites());
}
Batch<kLinkAttributes> Plant::take_link_reports(Time until) {
    return take_arrived(link_reports_, until, config_.sites());
}

// -- KPIs ------------------------------------------------------------------------------------------------------------

Kpis Plant::take_kpis() {
    for (Device& device : devices_) flush_cpu(device);
    Kpis taken = kpis_;
    taken.to = now_;
    taken.in_flight = pool_.in_use();
    const double elapsed_s = seconds(now_ - taken.from);
    const auto mean = [elapsed_s](double now, double& before) {
        const double rate = elapsed_s > 0 ? (now - before) / elapsed_s : 0.0;
        before = now;
        return rate;
    };
    for (std::size_t q = 0; q < servers_.size(); ++q) {
        taken.server_load_ghz.push_back(mean(servers_[q].done_gcycles(now_), server_done_at_kpis_[q]));
    }
    for (std::size_t s = 0; s < cells_.size() && !users_; ++s) {
        taken.cell_airtime.push_back(mean(cells_[s].busy_s(now_), cell_busy_at_kpis_[s]) / cells_[s].servers());
    }
    for (std::size_t l = 0; l < links_.size(); ++l) {
        const double background_mb =
            link_background_mb_[l] + links_[l].background_mbps() * seconds(now_ - background_since_);
        link_background_mb_[l] = 0;
        taken.link_load_mbps.push_back(mean(links_[l].carried_mb(), link_mb_at_kpis_[l]));
        const double background_mbps = elapsed_s > 0 ? background_mb / elapsed_s : links_[l].background_mbps();
        taken.link_utilisation.push_back((taken.link_load_mbps.back() + background_mbps) / links_[l].capacity_mbps());
    }
    add_kpis(taken);
    if (users_) add_access(taken);
    background_since_ = now_;
    kpis_.from = now_;
    std::fill(kpis_.groups.begin(), kpis_.groups.end(), GroupCount{});
    std::fill(kpis_.histogram.begin(), kpis_.histogram.end(), 0);
    return taken;
}

// -- truth -----------------------------------------------------------------------------------------------------------

std::vector<double> Plant::truth_device_rates() const {
    std::vector<double> rates(devices_.size());
    for (std::size_t d = 0; d < rates.size(); ++d) rates[d] = arrivals_.mean_rate(d);
    return rates;
}

std::vector<double> Plant::truth_radio_mbps() const {
    std::vector<double> rates(devices_.size());
    for (std::size_t d = 0; d < rates.size(); ++d) {
        if (users_) {
            rates[d] = users_->usual_mbps(d);
            continue;
        }
        const auto ring = static_cast<std::size_t>(config_.device_ring[d]);
        rates[d] = config_.ring_rate_mbps[ring] * radio_[static_cast<std::size_t>(devices_[d].site)].factor;
    }
    return rates;
}

std::vector<std::int64_t> Plant::truth_device_sites() const {
    std::vector<std::int64_t> sites(devices_.size());
    for (std::size_t d = 0; d < sites.size(); ++d) sites[d] = devices_[d].site;
    return sites;
}

std::vector<std::int64_t> Plant::truth_device_groups() const {
    std::vector<std::int64_t> groups(devices_.size());
    for (std::size_t d = 0; d < groups.size(); ++d) groups[d] = devices_[d].group;
    return groups;
}

std::vector<std::int64_t> Plant::truth_clock_offset_ns() const {
    std::vector<std::int64_t> offsets(clocks_.size());
    for (std::size_t d = 0; d < offsets.size(); ++d) offsets[d] = clocks_[d].offset;
    return offsets;
}

std::vector<double> Plant::truth_background_mbps() const {
    std::vector<double> mbps(links_.size());
    for (std::size_t l = 0; l < mbps.size(); ++l) mbps[l] = links_[l].background_mbps();
    return mbps;
}

std::vector<std::int64_t> Plant::truth_queue_tasks() {
    std::vector<std::int64_t> tasks(devices_.size());
    for (std::size_t d = 0; d < tasks.size(); ++d) {
        flush_cpu(devices_[d]);
        tasks[d] = devices_[d].cpu.count;
    }
    return tasks;
}

}  // namespace tiertwin::plant
