// What is seen of a plant's users: the reports of sites for their groups, and the books of the radio access network.
#include <algorithm>
#include <vector>

#include "plant/plant.hpp"
#include "plant/units.hpp"

namespace tiertwin::plant {
namespace {

struct Present {  // in a group now
    std::int64_t users = 0, queued = 0, heard = 0;
    double seconds_a_megabit = 0.0;  // sum over those heard
};

}  // namespace

void Plant::report_groups(std::size_t site, std::uint32_t number) {
    PlantUsers& users = *users_;
    const Mouth::Fate fate = fate_of(static_cast<index_t>(site), site, Purpose::kBaseStationReport, number);
    const auto groups = static_cast<std::size_t>(config_.classes() * config_.rings());
    const std::size_t first = site * groups;
    std::vector<Present> present(groups);
    for (const std::uint32_t u : users.of_site[site]) {
        settle(u);
        Present& at = present[static_cast<std::size_t>(devices_[u].group) - first];
        at.users += 1;
        at.queued += devices_[u].cpu.count;
        const double mbps = fate.lost ? 0.0 : users.usual_mbps(u);
        if (!(mbps > 0.0)) continue;
        at.heard += 1;
        at.seconds_a_megabit += 1.0 / mbps;
    }
    const double elapsed_s = static_cast<double>(now_ - users.reported[site]) * 1e-9;
    users.reported[site] = now_;
    for (std::size_t g = 0; g < groups; ++g) {
        GroupBook& book = users.books[first + g];
        const Counts& counts = book.counts;
        const Present& at = present[g];
        double task_rate = counts.generated / elapsed_s;
        double radio_mbps = at.heard > 0 ? static_cast<double>(at.heard) / at.seconds_a_megabit : 0.0;
        double latency_ms =
            counts.completed > 0 ? static_cast<double>(counts.latency_ns) * 1e-6 / counts.completed : 0.0;
        double energy_j = static_cast<double>(counts.energy_nj) * 1e-9;
        const double cpu_load =
            book.present > 0 ? static_cast<double>(book.cpu) / static_cast<double>(book.present) : 0.0;
        if (!fate.lost) {
            mouth_.blur(task_rate, radio_mbps, first + g, Purpose::kGroupReport, number, 0);
            mouth_.blur(latency_ms, energy_j, first + g, Purpose::kGroupReport, number, 1);
            users.reports.push_back(
                {now_ + fate.delay,
                 now_ + users.clock[site],
                 static_cast<std::int32_t>(site),
                 static_cast<std::int32_t>(first + g),
                 {task_rate, at.heard > 0 ? radio_mbps : kNotSent, cpu_load, static_cast<double>(at.queued),
                  counts.completed > 0 ? latency_ms : kNotSent, static_cast<double>(counts.completed),
                  static_cast<double>(counts.missed), energy_j, static_cast<double>(at.users)}});
        }
        book = {};
    }
    report_station(site, fate, number);
}

// What the base stations of a site tell of their cells.
void Plant::report_station(std::size_t site, const Mouth::Fate& fate, std::uint32_t number) {
    PlantUsers& users = *users_;
    const AccessConfig& config = users.network.config();
    double used = 0.0, there = 0.0, peak = 0.0, joule = 0.0, handovers = 0.0, seconds = 0.0;
    for (const std::uint32_t c : users.cells_of[site]) {
        CellCount since = users.network.count(c);
        since -= users.cell_at_report[c];
        users.cell_at_report[c] = users.network.count(c);
        const double spent = static_cast<double>(since.steps * config.step_ms);
        const double blocks = spent * static_cast<double>(config.cell_prbs[c]);
        used += static_cast<double>(since.prbs_up);
        there += blocks;
        if (blocks > 0.0) peak = std::max(peak, static_cast<double>(since.prbs_up) / blocks);
        joule += since.energy_j;
        handovers += static_cast<double>(since.handovers);
        seconds = std::max(seconds, spent * 1e-3);
    }
    if (fate.lost || !(seconds > 0.0)) return;
    double mean = used / there, power = joule / seconds;
    const std::uint64_t key = static_cast<std::uint64_t>(config_.groups()) + site;
    mouth_.blur(mean, power, key, Purpose::kGroupReport, number, 0);
    around_.keep<kBaseStationAttributes>(users.station_reports, {now_ + fate.delay,
                                                                 now_ + users.clock[site],
                                                                 static_cast<std::int32_t>(site),
                                                                 static_cast<std::int32_t>(site),
                                                                 {mean, std::max(peak, mean), power, handovers}});
}

Batch<kGroupAttributes> Plant::take_group_reports(Time until) {
    std::vector<Report<kGroupAttributes>> nothing;
    return take_arrived(users_ ? users_->reports : nothing, until, config_.sites());
}

Batch<kBaseStationAttributes> Plant::take_station_reports(Time until) {
    std::vector<Report<kBaseStationAttributes>> nothing;
    return take_arrived(users_ ? users_->station_reports : nothing, until, config_.sites());
}

void Plant::add_access(Kpis& taken) {
    AccessNetwork& network = users_->network;
    const std::vector<CellCount> counts = network.cell_counts();
    const std::vector<std::int64_t>& prbs = network.config().cell_prbs;
    const auto sites = static_cast<std::size_t>(config_.sites());
    std::vector<double> used(sites), there(sites), cells(sites);
    taken.station_j.assign(sites, 0.0);
    taken.station_asleep_s.assign(sites, 0.0);
    RadioKpis& radio = taken.radio.emplace();
    for (std::size_t c = 0; c < counts.size(); ++c) {
        const auto s = static_cast<std::size_t>(network.config().cell_site[c]);
        used[s] += static_cast<double>(counts[c].prbs_up);
        there[s] += static_cast<double>(prbs[c] * counts[c].steps * network.config().step_ms);
        cells[s] += 1.0;
        taken.station_j[s] += counts[c].energy_j;
        taken.station_asleep_s[s] += counts[c].asleep_s;
        radio.handovers += counts[c].handovers;
        radio.ping_pongs += counts[c].ping_pongs;
        radio.link_failures += counts[c].failures;
        radio.up_prbs += counts[c].prbs_up;
    }
    for (std::size_t s = 0; s < sites; ++s) {
        taken.cell_airtime.push_back(there[s] > 0 ? used[s] / there[s] : 0.0);
        if (cells[s] > 0) taken.station_asleep_s[s] /= cells[s];
    }
    for (std::size_t u = 0; u < devices_.size(); ++u)
        radio.users_without_cell += network.crowd().serving(u) < 0 ? 1 : 0;
    radio.down_histogram.resize(kBins);
    for (std::size_t k = 0; k < network.config().classes(); ++k) {
        const AirCount &down = network.air().counts()[kDirections * k],
                       &up = network.air().counts()[kDirections * k + 1];
        radio.down_sent += down.sent;
        radio.down_received += down.received;
        radio.down_lost += down.lost;
        radio.down_delay += down.delay;
        radio.up_bits += up.bits;
        network.air().each_delay(kDirections * k, [&radio](Time delay, std::uint32_t packets) {
            radio.down_histogram[latency_bin(delay)] += packets;
        });
    }
    network.forget_counts();
}

}  // namespace tiertwin::plant
