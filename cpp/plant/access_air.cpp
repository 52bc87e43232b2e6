#include "plant/access_air.hpp"

#include <algorithm>
#include <numeric>
#include <tuple>

namespace tiertwin::plant {
namespace {

Time slot_from(Time time) { return (time + kSlot - 1) / kSlot * kSlot; }

}  // namespace

Air::Air(std::span<const std::uint32_t> prbs, std::span<const std::uint8_t> in_order,
         std::span<const std::uint32_t> group, std::span<const std::uint32_t> buffer, std::size_t groups)
    : stations_(prbs.size()), flows_(group.size()), counts_(groups), delays_(groups), task_delays_(groups) {
    for (std::size_t s = 0; s < prbs.size(); ++s) {
        stations_[s].prbs = prbs[s];
        stations_[s].in_order = in_order[s] != 0;
    }
    for (std::size_t f = 0; f < group.size(); ++f) {
        flows_[f].head = flows_[f].tail = kNone;
        flows_[f].group = group[f];
        flows_[f].buffer = buffer[f];
    }
}

// -- who is where
// ------------------------------------------------------------------------------------------------------

void Air::show(std::size_t f) {
    AirFlow& flow = flows_[f];
    if (flow.listed || flow.held || flow.waiting == 0 || flow.station == kNoStation) return;
    stations_[static_cast<std::size_t>(flow.station)].list.push_back(static_cast<std::uint32_t>(f));
    flow.listed = true;
}

void Air::move(std::size_t f, std::int32_t station) {
    AirFlow& flow = flows_[f];
    if (flow.listed) std::erase(stations_[static_cast<std::size_t>(flow.station)].list, static_cast<std::uint32_t>(f));
    flow.listed = false;
    flow.station = station;
    show(f);
}

void Air::hold(std::size_t f) {
    AirFlow& flow = flows_[f];
    if (flow.listed) std::erase(stations_[static_cast<std::size_t>(flow.station)].list, static_cast<std::uint32_t>(f));
    flow.listed = false;
    flow.held = true;
}

void Air::set_rate(std::size_t f, std::uint32_t prb_bits, std::uint32_t most_prbs) {
    flows_[f].prb_bits = prb_bits;
    flows_[f].most_prbs = most_prbs;
}

// -- time
// --------------------------------------------------------------------------------------------------------------

void Air::sort(std::size_t s) {
    std::vector<AirArrival>& arrivals = stations_[s].arrivals;
    std::stable_sort(arrivals.begin(), arrivals.end(), [](const AirArrival& a, const AirArrival& b) {
        return std::tie(a.time, a.flow) < std::tie(b.time, b.flow);
    });
}

void Air::insert(std::size_t s, const AirArrival& arrival) {
    Station& station = stations_[s];
    const auto at = std::upper_bound(
        station.arrivals.begin() + static_cast<std::ptrdiff_t>(station.next), station.arrivals.end(), arrival,
        [](const AirArrival& a, const AirArrival& b) { return std::tie(a.time, a.flow) < std::tie(b.time, b.flow); });
    station.arrivals.insert(at, arrival);
}

void Air::clear(std::size_t s) {
    stations_[s].arrivals.clear();
    stations_[s].next = 0;
    stations_[s].used = 0;
}

void Air::play(std::size_t s, Time until) {
    Station& station = stations_[s];
    const auto more = [&] {
        return station.next < station.arrivals.size() && station.arrivals[station.next].time < until;
    };
    for (;;) {
        if (station.list.empty()) {
            if (!more()) return;
            const AirArrival& first = station.arrivals[station.next++];
            station.slot = std::max(station.slot, slot_from(first.time));
            enter(s, first);
            continue;
        }
        station.slot = std::max(station.slot, slot_from(station.ready));
        if (station.slot >= until) break;
        while (more() && station.arrivals[station.next].time <= station.slot)
            enter(s, station.arrivals[station.next++]);
        serve(station);
        station.slot += kSlot;
    }
    while (more()) enter(s, station.arrivals[station.next++]);
}

void Air::wait(const AirArrival& arrival) { queue(flows_[arrival.flow], arrival.flow, arrival); }

void Air::enter(std::size_t s, const AirArrival& arrival) {
    AirFlow& flow = flows_[arrival.flow];
    if (arrival.packets == 0) {
        if (flow.station == static_cast<std::int32_t>(s)) flow.held = false;
    } else {
        queue(flow, arrival.flow, arrival);
    }
    show(arrival.flow);
}

void Air::queue(AirFlow& flow, std::uint32_t number, const AirArrival& arrival) {
    AirCount& count = counts_[flow.group];
    const std::uint32_t room = flow.buffer > flow.waiting ? flow.buffer - flow.waiting : 0;
    const std::uint32_t taken = std::min(room, arrival.packets);
    const std::uint32_t lost = arrival.packets - taken;
    count.sent += arrival.packets;
    count.lost += lost;
    count.tasks_sent += 1;
    flow.lost += lost;
    if (keep_ && lost > 0) records_.push_back({number, lost, arrival.time, -1});
    if (taken == 0) {
        count.tasks_lost += 1;
        if (arrival.tag != kNoTag) finished_.push_back({number, arrival.tag, 0, 1, true});
        return;
    }
    std::uint32_t place = free_;
    if (place == kNone) {
        place = static_cast<std::uint32_t>(batches_.size());
        batches_.emplace_back();
    } else {
        free_ = batches_[place].next;
    }
    batches_[place] = {arrival.time, arrival.bits, taken, kNone, arrival.tag, lost == 0};
    if (flow.head == kNone) {
        flow.head = place;
    } else {
        batches_[flow.tail].next = place;
    }
    flow.tail = place;
    flow.waiting += taken;
    flow.waiting_bits += std::int64_t{arrival.bits} * taken;
}

// -- a slot
// ------------------------------------------------------------------------------------------------------------

// PRBs one by one in turn until nobody needs more, a whole round at a time.
void Air::deal(const Station& station) {
    const std::size_t n = station.list.size();
    std::uint32_t left = station.prbs;
    std::size_t open = 0;
    given_.assign(n, 0);
    need_.resize(n);
    for (std::size_t i = 0; i < n; ++i) {
        const AirFlow& flow = flows_[station.list[i]];
        const std::int64_t bits = flow.prb_bits;
        const std::int64_t wanted = bits == 0 ? 0 : (flow.waiting_bits + bits - 1) / bits;
        need_[i] = static_cast<std::uint32_t>(std::min<std::int64_t>(wanted, flow.most_prbs));
        if (station.in_order) {
            given_[i] = std::min(need_[i], left);
            left -= given_[i];
        }
        open += need_[i] > 0 ? 1U : 0U;
    }
    if (station.in_order) return;
    while (open > 0 && left > 0) {
        const auto round = static_cast<std::uint32_t>(left / open);
        for (std::size_t i = 0; i < n && left > 0; ++i) {
            if (need_[i] == 0) continue;
            const std::uint32_t more = std::min(need_[i], std::max(round, 1U));
            given_[i] += more;
            need_[i] -= more;
            left -= more;
            open -= need_[i] == 0 ? 1U : 0U;
        }
    }
}

void Air::serve(Station& station) {
    deal(station);
    std::vector<std::uint32_t>& list = station.list;
    const Time done = station.slot + kSlot;
    std::uint64_t used = 0;
    std::size_t kept = 0;
    const std::uint32_t first = list.front();
    for (std::size_t i = 0; i < list.size(); ++i) {
        const std::uint32_t number = list[i];
        if (given_[i] > 0) send(number, given_[i], done);
        used += given_[i];
        if (flows_[number].waiting == 0) {
            flows_[number].listed = false;
        } else {
            list[kept++] = number;
        }
    }
    list.resize(kept);
    if (!station.in_order && kept > 1 && list.front() == first) std::rotate(list.begin(), list.begin() + 1, list.end());
    station.used += used;
    most_used_ = std::max(most_used_, used);
}

void Air::send(std::uint32_t number, std::uint32_t prbs, Time done) {
    AirFlow& flow = flows_[number];
    if (flow.prbs == 0) senders_.push_back(number);
    flow.prbs += prbs;
    flow.blocks += prbs;
    std::int64_t bits = std::min(std::int64_t{prbs} * flow.prb_bits, flow.waiting_bits);
    flow.waiting_bits -= bits;
    while (flow.head != kNone) {
        Batch& batch = batches_[flow.head];
        const std::int64_t rest = std::int64_t{batch.bits} - flow.first_sent;
        if (bits < rest) break;
        bits -= rest;
        const auto packets = static_cast<std::uint32_t>(1 + std::min<std::int64_t>(batch.left - 1, bits / batch.bits));
        bits -= std::int64_t{batch.bits} * (packets - 1);
        flow.first_sent = 0;
        flow.waiting -= packets;
        batch.left -= packets;
        receive(flow, number, batch, packets, done);
        if (batch.left > 0) continue;
        const std::uint32_t next = batch.next;
        batch.next = free_;
        free_ = flow.head;
        flow.head = next;
        if (next == kNone) flow.tail = kNone;
    }
    flow.first_sent += static_cast<std::uint32_t>(bits);
}

void Air::receive(AirFlow& flow, std::uint32_t number, const Batch& batch, std::uint32_t packets, Time done) {
    const Time delay = done - batch.born;
    AirCount& count = counts_[flow.group];
    count.received += packets;
    count.bits += std::int64_t{batch.bits} * packets;
    count.delay += delay * packets;
    count.longest = std::max(count.longest, delay);
    for (std::uint32_t i = 0; i < packets; ++i) delays_.add(flow.group, delay);
    flow.received += packets;
    flow.received_bits += std::int64_t{batch.bits} * packets;
    flow.delay_ms += static_cast<double>(delay) * 1e-6 * packets;
    if (keep_) records_.push_back({number, packets, batch.born, done});
    if (batch.left > 0) return;
    if (batch.tag != kNoTag) {
        finished_.push_back(
            {number, batch.tag, flow.blocks, stations_[static_cast<std::size_t>(flow.station)].prbs, !batch.whole});
        flow.blocks = 0;
    }
    if (!batch.whole) {
        count.tasks_lost += 1;
        return;
    }
    count.tasks_done += 1;
    count.task_delay += delay;
    task_delays_.add(flow.group, delay);
}

// -- books
// -------------------------------------------------------------------------------------------------------------

std::span<const std::uint32_t> Air::senders() {
    std::sort(senders_.begin(), senders_.end());  // the order of stations and cuts must not show
    return senders_;
}

std::span<const AirFinished> Air::finished() {
    std::stable_sort(finished_.begin(), finished_.end(),
                     [](const AirFinished& a, const AirFinished& b) { return a.flow < b.flow; });
    return finished_;
}

void Air::forget_counts() {
    std::fill(counts_.begin(), counts_.end(), AirCount{});
    delays_ = PacketDelays(counts_.size());
    task_delays_ = PacketDelays(counts_.size());
}

void Air::forget_senders() {
    for (const std::uint32_t f : senders_) flows_[f].prbs = 0;
    senders_.clear();
}

std::int64_t Air::under_way() const {
    return std::accumulate(flows_.begin(), flows_.end(), std::int64_t{0},
                           [](std::int64_t sum, const AirFlow& flow) { return sum + flow.waiting; });
}

}  // namespace tiertwin::plant
