#include "plant/packet_network.hpp"

#include <algorithm>
#include <string>

#include "base/error.hpp"
#include "plant/event_tree.hpp"

namespace tiertwin::plant {
namespace {

const PacketConfig& valid(const PacketConfig& config) {
    config.validate();
    return config;
}

}  // namespace

PacketNetwork::PacketNetwork(const PacketConfig& config)
    : warm_up_(valid(config).warm_up_ns),
      link_count_(config.links()),
      record_(config.record),
      most_packets_(config.most_packets),
      sources_(config),
      next_(config.flows()),
      births_(config.flows()),
      hops_(config.links()),
      counts_(config.flows()),
      made_(config.flows(), 0),
      delays_(config.flows()) {
    links_.reserve(config.links());
    for (std::size_t l = 0; l < config.links(); ++l)
        links_.emplace_back(config.link_rate_bps[l], config.link_delay_ns[l], config.link_buffer[l]);
    for (std::size_t f = 0; f < config.flows(); ++f) {
        first_hop_.push_back(static_cast<std::uint32_t>(path_.size()));
        for (auto i = static_cast<std::size_t>(config.path_ptr[f]);
             i < static_cast<std::size_t>(config.path_ptr[f + 1]); ++i) {
            path_.push_back(static_cast<std::int32_t>(config.path_links[i]));
        }
        path_.push_back(kEndOfPath);
    }
    for (std::size_t f = 0; f < config.flows(); ++f) schedule_source(f);
}

// -- time ------------------------------------------------------------------------------------------------------------

void PacketNetwork::run_until(Time until) {
    if (until < 0 || until > kHorizon) {
        throw InvalidArgument("time_ns: expected a time in ns from 0 to " + std::to_string(kHorizon) + ", got " +
                              std::to_string(until));
    }
    play(until);
    now_ = std::max(now_, until);
}

void PacketNetwork::run_to_end() {
    constexpr Time kLast = Time{1} << 62;  // beyond it, the time of a next event might not fit
    play(kLast);
    if (!ended()) throw InvalidArgument("packets are under way for more than 2^62 ns: links are too slow");
}

// Flat: with all that it calls in one piece, measured a fifth faster.
[[gnu::flatten]] void PacketNetwork::play(Time until) {
    if (broken_) throw InvalidArgument("this network of packets stopped at an earlier error; build another one");
    broken_ = true;  // until this call has ended well: an event cut short cannot be taken up again
    for (;;) {
        const bool birth = births_.top().before(hops_.top());
        const PacketEvent event = birth ? births_.top() : hops_.top();
        if (event.time > until) break;
        if (!warm_ && event.time >= warm_up_) warm_up_is_over();
        now_ = event.time;
        if (birth) {
            fire(event);
        } else if (event.station() < link_count_) {
            arrive(event);
        } else {
            end_transmission(event);
        }
    }
    if (!warm_ && until >= warm_up_) warm_up_is_over();
    broken_ = false;
}

void PacketNetwork::warm_up_is_over() {
    warm_ = true;
    for (PacketLink& link : links_) link.reset(warm_up_);
}

// -- events ----------------------------------------------------------------------------------------------------------

void PacketNetwork::fire(const PacketEvent& event) {
    const std::size_t flow = event.station();
    const auto f = static_cast<std::uint32_t>(flow);
    const std::uint32_t bytes = next_[flow].bytes;
    if (++under_way_ > most_packets_) {
        throw InvalidArgument("most_packets: expected at most " + std::to_string(most_packets_) +
                              " packets under way, got one more at " + std::to_string(event.time) +
                              " ns; give links buffers, or allow more");
    }
    PacketOnLink packet{event.time, 0, 0, first_hop_[flow], f, keep(event.time, f, bytes), bytes};
    counts_[flow].sent += event.time >= warm_up_ ? 1 : 0;
    ++made_[flow];
    enter(event, packet);
    schedule_source(flow);
}

void PacketNetwork::schedule_source(std::size_t flow) {
    next_[flow] = sources_.next(flow);
    births_.set(flow, next_[flow].time == kNever ? PacketEvent{} : PacketEvent{next_[flow].time, next_tag(flow)});
}

void PacketNetwork::arrive(const PacketEvent& event) {
    PacketOnLink packet = links_[event.station()].leave();
    plan(event.station());
    ++packet.hop;
    if (path_[packet.hop] == kEndOfPath) {
        receive(event.time, packet);
    } else {
        enter(event, packet);
    }
}

void PacketNetwork::end_transmission(const PacketEvent& event) {
    const std::size_t l = event.station() - link_count_;
    start(l, event.time);
    plan(l);
}

// -- packets ---------------------------------------------------------------------------------------------------------

void PacketNetwork::enter(const PacketEvent& event, PacketOnLink& packet) {
    const auto l = static_cast<std::size_t>(path_[packet.hop]);
    PacketLink& link = links_[l];
    if (link.idle(event.time, event.tag)) {
        link.join(packet);
        start(l, event.time);
        if (link.on_way() == 1) plan(l);
    } else if (link.full()) {
        lose(l, packet);
    } else {
        link.join(packet);
        link.note_queue();
        if (link.waiting() == 1) plan(l);
    }
}

void PacketNetwork::start(std::size_t link, Time now) {
    const PacketEvent::Tag end = next_tag(ending(link));
    links_[link].start(now, end, next_tag(link));
    ++packet_hops_;
}

void PacketNetwork::plan(std::size_t link) { hops_.set(link, links_[link].next()); }

void PacketNetwork::receive(Time now, const PacketOnLink& packet) {
    --under_way_;
    if (packet.born < warm_up_) return;
    const Time delay = now - packet.born;
    PacketCount& count = counts_[packet.flow];
    ++count.received;
    count.delay += delay;
    count.squares += static_cast<double>(delay) * static_cast<double>(delay);
    count.longest = std::max(count.longest, delay);
    count.bytes += packet.bytes;
    delays_.add(packet.flow, delay);
    if (packet.record != kNotKept) records_[packet.record].delay = delay;
}

void PacketNetwork::lose(std::size_t link, const PacketOnLink& packet) {
    --under_way_;
    if (packet.born < warm_up_) return;
    links_[link].drop();
    ++counts_[packet.flow].lost;
    if (packet.record != kNotKept) records_[packet.record].delay = PacketRecord::kLost;
}

PacketEvent::Tag PacketNetwork::next_tag(std::size_t station) {
    if (order_ == PacketEvent::kMostOrders)
        throw Error("a network of packets ends after 2^40 events; build another one");
    return PacketEvent::make_tag(order_++, station);
}

std::uint32_t PacketNetwork::keep(Time now, std::uint32_t flow, std::uint32_t bytes) {
    if (!record_ || now < warm_up_) return kNotKept;
    if (static_cast<std::int64_t>(records_.size()) >= most_packets_) {
        throw InvalidArgument("most_packets: expected at most " + std::to_string(most_packets_) +
                              " packets kept, got one more at " + std::to_string(now) +
                              " ns; stop earlier, keep none, or allow more");
    }
    records_.push_back({now, PacketRecord::kUnderWay, flow, made_[flow], bytes});
    return static_cast<std::uint32_t>(records_.size() - 1);
}

}  // namespace tiertwin::plant
