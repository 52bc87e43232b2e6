#include "plant/plant.hpp"

#include <cmath>
#include <string>

#include "base/error.hpp"
#include "plant/units.hpp"

namespace tiertwin::plant {
namespace {

Config checked(Config config) {
    config.validate();
    return config;
}

}  // namespace

Plant::Plant(Config config)
    : config_(checked(std::move(config))),
      chance_(config_.seed),
      events_(config_.sites() + config_.links() + config_.servers() + 1),
      arrivals_(config_, chance_),
      reports_(config_, chance_),
      mouth_(config_, chance_) {
    build_devices();
    build_network();
    set_routes(config_.route_site_ptr, config_.route_site_links, config_.route_fog_ptr, config_.route_fog_links);
    kpis_.groups.resize(static_cast<std::size_t>(config_.groups()));
    kpis_.histogram.resize(static_cast<std::size_t>(config_.classes()) * kBins);
}

void Plant::build_devices() {
    devices_.resize(static_cast<std::size_t>(config_.devices()));
    clocks_.resize(devices_.size());
    for (std::size_t d = 0; d < devices_.size(); ++d) {
        Device& device = devices_[d];
        device.threshold.fill(std::int64_t{1} << 32);  // all local
        device.ghz = config_.device_ghz[d];
        device.site = static_cast<std::int32_t>(config_.device_site[d]);
        device.service = static_cast<std::int32_t>(config_.device_class[d]);
        device.group = static_cast<std::int32_t>(
            (config_.device_site[d] * config_.classes() + config_.device_class[d]) * config_.rings() +
            config_.device_ring[d]);
        const PhiloxBlock words = chance_.block(static_cast<std::uint64_t>(config_.device_key[d]), Purpose::kDevice, 0);
        const double offset_s = (2.0 * uniform(words[2], words[3]) - 1.0) * config_.clock_offset_s;
        clocks_[d].key = static_cast<std::uint64_t>(config_.device_key[d]);
        clocks_[d].offset = static_cast<Time>(std::llround(offset_s * 1e9));
    }
}

void Plant::build_network() {
    for (const double cells : config_.site_cells) {
        cells_.emplace_back(config_.radio_fifo ? Discipline::kFifo : Discipline::kSharing, cells, 1.0,
                            config_.buffer_s);
    }
    radio_.assign(cells_.size(), Cell{0, 0.0, config_.radio_factor.front()});
    for (std::size_t l = 0; l < config_.link_capacity_mbps.size(); ++l) {
        links_.emplace_back(config_.link_fifo, config_.link_capacity_mbps[l], config_.link_propagation_s[l],
                            config_.buffer_s);
        links_[l].set_background(pool_, now_, config_.link_background_mbps[l]);
    }
    link_flows_.resize(links_.size());
    uplink_shares_.resize(cells_.size());
    const std::vector<index_t> flows = place_flows();
    for (std::size_t q = 0; q < config_.server_cores.size(); ++q) {
        const double ghz = config_.server_core_ghz[q], cores = config_.server_cores[q];
        servers_.emplace_back(static_cast<Discipline>(config_.server_discipline[q]), cores, ghz, config_.buffer_s,
                              flows[q]);
        server_energy_.push_back(config_.server_j_per_gcycle[q] + config_.server_idle_w[q] / (cores * ghz));
    }
    server_done_at_kpis_.resize(servers_.size());
    server_done_at_report_.resize(servers_.size());
    server_reported_.resize(servers_.size());
    cell_busy_at_kpis_.resize(cells_.size());
    link_mb_at_kpis_.resize(links_.size());
    link_mb_at_report_.resize(links_.size());
    link_reported_.resize(links_.size());
    link_background_mb_.resize(links_.size());
    link_reasons_.resize(links_.size());
    server_reasons_.resize(servers_.size());
    link_down_.resize(links_.size());
    server_down_.resize(servers_.size());
}

// Flows of a server: the classes of the first site that sends here, of the second, ... Returns how many at each.
std::vector<index_t> Plant::place_flows() {
    std::vector<index_t> flows(config_.server_cores.size(), 0);
    for (std::size_t s = 0; s < cells_.size(); ++s) {
        for (const Tier tier : {Tier::kEdge, Tier::kFog, Tier::kCloud}) {
            index_t& count = flows[server_of(s, tier)];
            server_flow_.push_back(static_cast<std::int32_t>(count));
            count += config_.classes();
        }
    }
    return flows;
}

// -- the loop --------------------------------------------------------------------------------------------------------

void Plant::run_until(Time until) {
    if (until < now_ || until > kHorizon) {
        throw InvalidArgument("run_until: expected a time from now (" + std::to_string(now_) + " ns) to " +
                              std::to_string(kHorizon) + " ns, got " + std::to_string(until));
    }
    for (;;) {
        if (batch_position_ == batch_.size() && arrivals_.generated_until() < until) {
            batch_ = arrivals_.next_window(until);
            batch_position_ = 0;
            continue;
        }
        const Time arrival = batch_position_ < batch_.size() ? batch_[batch_position_].time : kNever;
        const EventTree::Slot departure = events_.top();
        if (around_next_ < departure.time && around_next_ < arrival && around_next_ < reports_.next()) {
            if (around_next_ > until) break;
            now_ = around_next_;
            surroundings();
            continue;
        }
        // Before a new window exists nothing later than the last one may happen.
        if (departure.time <= std::min(arrival, reports_.next())) {
            if (departure.time > until) break;
            now_ = departure.time;
            depart(departure.station);
        } else if (arrival <= reports_.next()) {
            now_ = arrival;
            arrive(batch_[batch_position_++]);
        } else {
            if (reports_.next() > until) break;
            now_ = reports_.next();
            report();
        }
    }
    now_ = until;
    if (users_) users_->network.run_until(until);  // its books are as young as the others
}

void Plant::depart(std::int32_t station) {
    const index_t cell_end = config_.sites(), link_end = cell_end + config_.links();
    const index_t server_end = link_end + config_.servers();
    if (station < cell_end) {
        leave_cell(static_cast<std::size_t>(station));
    } else if (station < link_end) {
        leave_link(static_cast<std::size_t>(station - cell_end));
    } else if (station < server_end) {
        leave_server(static_cast<std::size_t>(station - link_end));
    } else {
        air();
    }
}

void Plant::arrive(const NewTask& arrival) {
    constexpr std::size_t kAhead =
        6;  // devices are scattered over megabytes: ask for the next ones while this one is served
    if (batch_position_ + kAhead < batch_.size()) {
        const Device& soon = devices_[static_cast<std::size_t>(batch_[batch_position_ + kAhead].device)];
        __builtin_prefetch(&soon, 1);
        __builtin_prefetch(reinterpret_cast<const char*>(&soon) + 64, 1);
    }
    Device& device = devices_[static_cast<std::size_t>(arrival.device)];
    GroupCount& group = kpis_.groups[static_cast<std::size_t>(device.group)];
    Counts& counts = counts_of(device);
    ++counts.generated;
    ++group.generated;
    flush_cpu(device);
    std::size_t tier = 0;
    const auto& threshold = users_ ? users_->threshold[static_cast<std::size_t>(device.group)] : device.threshold;
    while (tier < kTiers && static_cast<std::int64_t>(arrival.choice) >= threshold[tier]) ++tier;
    if (tier == kTiers) {
        ++group.shed;
        ++counts.missed;
        return;
    }
    const auto c = static_cast<std::size_t>(device.service);
    const TaskId id = pool_.take();
    Task& task = pool_[id];
    task.born = now_;
    task.megabits = config_.class_megabits[c];
    task.gcycles = config_.class_gcycles[c];
    if (config_.class_exponential[c] == 1) {
        const auto key = static_cast<std::uint64_t>(config_.device_key[static_cast<std::size_t>(arrival.device)]);
        const PhiloxBlock words = chance_.block(key, Purpose::kSize, arrival.number);
        task.megabits *= exponential(words[0], words[1]);
        task.gcycles *= exponential(words[2], words[3]);
    }
    task.energy_nj = 0;
    task.device = arrival.device;
    task.group = device.group;
    task.site = static_cast<std::uint16_t>(device.site);
    task.service = static_cast<std::uint8_t>(device.service);
    task.tier = static_cast<Tier>(tier);
    tier == 0 ? start_local(device, id) : join_cell(id);
}

// -- the device's own CPU: departures are known on joining and counted when somebody looks ---------------------------

void Plant::start_local(Device& device, TaskId id) {
    const Time start = std::max(now_, device.cpu_free);
    if (static_cast<double>(start - now_) * 1e-9 > config_.buffer_s) return lose(id);
    Task& task = pool_[id];
    const Time service = whole_ns(task.gcycles / device.ghz);
    task.energy_nj = whole_nj(config_.device_j_per_gcycle_ghz2 * device.ghz * device.ghz * task.gcycles);
    device.cpu_free = task.due = start + service;
    device.cpu_assigned += service;
    device.cpu.push(pool_, id);
}

void Plant::flush_cpu(Device& device) {
    while (device.cpu.head != kNoTask && pool_[device.cpu.head].due <= now_) {
        const TaskId id = device.cpu.pop(pool_);
        counts_of(device).energy_nj += pool_[id].energy_nj;
        complete(id, pool_[id].due);
    }
}

// -- the way of a task that leaves its device ------------------------------------------------------------------------

void Plant::refresh_radio(std::size_t site) {
    Cell& cell = radio_[site];
    const double elapsed_s = static_cast<double>(now_ - cell.window_start) * 1e-9;
    if (elapsed_s < config_.radio_window_s) return;
    const double busy_s = cells_[site].busy_s(now_);
    const double load = (busy_s - cell.busy_at_start) / (elapsed_s * cells_[site].servers());
    const auto bins = static_cast<double>(config_.radio_factor.size());
    cell.factor = config_.radio_factor[static_cast<std::size_t>(std::clamp(std::floor(load * bins), 0.0, bins - 1.0))];
    cell.window_start = now_;
    cell.busy_at_start = busy_s;
}

void Plant::join_cell(TaskId id) {
    if (users_) return send_up(id);
    const std::size_t site = pool_[id].site;
    if (around_.sleep && around_.sleep->hold(now_, site, id)) {
        around_next_ = around_.next();
        return;
    }
    start_upload(site, id);
}

void Plant::start_upload(std::size_t site, TaskId id) {
    Task& task = pool_[id];
    Device& device = devices_[static_cast<std::size_t>(task.device)];
    refresh_radio(site);
    const auto ring = static_cast<std::size_t>(device.group % config_.rings());
    const double airtime_s = task.megabits / (config_.ring_rate_mbps[ring] * radio_[site].factor);
    if (!cells_[site].join(now_, id, airtime_s)) return lose(id);
    task.energy_nj = whole_nj(config_.class_transmit_w[static_cast<std::size_t>(device.service)] * airtime_s);
    counts_of(device).energy_nj += task.energy_nj;
    events_.set(device.site, cells_[site].next());
    if (around_.sleep) around_.sleep->used(site);
}

void Plant::leave_cell(std::size_t site) {
    const TaskId id = cells_[site].depart(now_);
    events_.set(static_cast<std::int32_t>(site), cells_[site].next());
    if (around_.sleep && cells_[site].present() == 0) around_.sleep->idle(now_, site);
    set_out(id);
}

void Plant::set_out(TaskId id) {
    Task& task = pool_[id];
    task.hop = task.end = 0;
    if (task.tier != Tier::kEdge) {
        const Hops& hops = route(task.site, task.tier);
        task.hop = hops.begin;
        task.end = hops.end;
    }
    forward(id);
}

void Plant::forward(TaskId id) {
    const Task& task = pool_[id];
    if (task.hop == task.end) return join_server(id);
    const Hop hop = hops_[static_cast<std::size_t>(task.hop)];
    Link& link = links_[static_cast<std::size_t>(hop.link)];
    if (!link.join(pool_, now_, id, hop.flow + task.service)) return lose(id);
    events_.set(link_station(hop.link), link.next(pool_));
}

void Plant::leave_link(std::size_t l) {
    const TaskId id = links_[l].arrive(pool_, now_);
    events_.set(link_station(static_cast<index_t>(l)), links_[l].next(pool_));
    Task& task = pool_[id];
    task.energy_nj += whole_nj(config_.link_j_per_mb * task.megabits);
    if (lost_on_link(l)) return lose(id);
    ++task.hop;
    forward(id);
}

std::size_t Plant::server_of(std::size_t site, Tier tier) const {
    if (tier == Tier::kEdge) return site;
    if (tier == Tier::kFog) return cells_.size() + static_cast<std::size_t>(config_.site_fog[site]);
    return config_.server_cores.size() - 1;
}

void Plant::join_server(TaskId id) {
    Task& task = pool_[id];
    task.due = now_;  // when it came (count_served)
    const std::size_t q = server_of(task.site, task.tier);
    if (!servers_[q].join(now_, id, task.gcycles, flow_at_server(task.site, task.tier) + task.service)) return lose(id);
    task.energy_nj += whole_nj(server_energy_[q] * task.gcycles);
    events_.set(server_station(static_cast<index_t>(q)), servers_[q].next());
}

void Plant::leave_server(std::size_t q) {
    const TaskId id = servers_[q].depart(now_);
    events_.set(server_station(static_cast<index_t>(q)), servers_[q].next());
    const Task& task = pool_[id];
    count_served(q, task);
    complete(id, now_ + (task.tier == Tier::kEdge ? 0 : route(task.site, task.tier).back));
}

void Plant::complete(TaskId id, Time done) {
    const Task& task = pool_[id];
    Counts& counts = counts_of(devices_[static_cast<std::size_t>(task.device)]);
    GroupCount& group = kpis_.groups[static_cast<std::size_t>(task.group)];
    const std::size_t c = task.service;
    const Time latency = done - task.born;
    const bool in_time = static_cast<double>(latency) <= config_.class_deadline_s[c] * 1e9;
    ++counts.completed;
    counts.latency_ns += latency;
    group.latency_ns += latency;
    group.energy_nj += task.energy_nj;
    ++group.executed[static_cast<std::size_t>(task.tier)];
    if (in_time) {
        ++group.in_time;
        group.in_time_latency_ns += latency;
        group.goodput_mb += task.megabits;
    } else {
        ++group.late;
        ++counts.missed;
    }
    ++kpis_.histogram[c * kBins + latency_bin(latency)];
    pool_.give_back(id);
}

void Plant::lose(TaskId id) {
    const Task& task = pool_[id];
    GroupCount& group = kpis_.groups[static_cast<std::size_t>(task.group)];
    ++group.lost;
    ++counts_of(devices_[static_cast<std::size_t>(task.device)]).missed;
    group.energy_nj += task.energy_nj;
    pool_.give_back(id);
}

}  // namespace tiertwin::plant
