// Packets over given paths through links that send first in first out and have finite buffers: the packet part of the
// plant. With equal arrivals it gives every packet the delay that ns-3's point-to-point devices with drop-tail queues
// give it, to the nanosecond, and loses the same packets.
//
//   source ─► link: sent if the transmitter is idle, waits if fewer than `buffer` do, else it is lost
//          ─► propagation ─► next link of the path ─► … ─► received
//
// Three kinds of event: a source makes a packet; a packet arrives at the far end of a link; a transmitter ends and
// another packet waits (an end after which nobody waits needs no event). Among events of one nanosecond the one
// scheduled first comes first, as in ns-3: a transmission schedules its end, then the arrival; a source sends, then
// schedules its next packet; the first packets of all flows are scheduled before the run, in order of flows.
//
// Counted are the packets born at or after warm_up, over whole life; links count what happens to them from then on. A
// packet is lost or received in the end: sent = received + lost + under way.
//
// Requires   a valid PacketConfig.   Thread  one thread owns it.
// Costs      a packet-hop: 0.07 to 0.1 us; memory: 40 bytes a packet under way (up to twice that, rings double), 32 a
// packet
//            kept.
#pragma once

#include <span>
#include <vector>

#include "base/types.hpp"
#include "plant/packet_config.hpp"
#include "plant/packet_delays.hpp"
#include "plant/packet_events.hpp"
#include "plant/packet_link.hpp"
#include "plant/packet_sources.hpp"

namespace tiertwin::plant {

struct PacketCount {
    std::int64_t sent = 0, received = 0, lost = 0;
    Time delay = 0, longest = 0;  // sum and largest over those received, ns
    double squares = 0;           // sum of delay^2, ns^2
    std::int64_t bytes = 0;       // of those received
};

// A counted packet: delay kUnderWay while it is neither received nor lost.
struct PacketRecord {
    static constexpr Time kLost = -1, kUnderWay = -2;
    Time born, delay;
    std::uint32_t flow, number, bytes;  // number: of the flow's packets, from 0, the warm-up included
};

class PacketNetwork {
  public:
    // Throws InvalidArgument.
    explicit PacketNetwork(const PacketConfig& config);

    // Everything that happens up to and including `until`; a time that is past changes nothing. However time is cut
    // into calls, the result is the same. Throws InvalidArgument beyond kHorizon, and when more packets are under way
    // or kept than most_packets; then the network has stopped for good.
    void run_until(Time until);
    // Until no packet is under way and no source has another one.
    void run_to_end();

    [[nodiscard]] Time now() const { return now_; }
    [[nodiscard]] bool ended() const { return births_.top().never() && hops_.top().never(); }
    [[nodiscard]] std::int64_t under_way() const { return under_way_; }
    // Transmissions begun since the start.
    [[nodiscard]] std::int64_t packet_hops() const { return packet_hops_; }
    [[nodiscard]] std::span<const PacketCount> flows() const { return counts_; }
    [[nodiscard]] std::span<const PacketLink> links() const { return links_; }
    // Delay that a share q (0..1) of a flow's packets does not exceed, see PacketDelays.
    [[nodiscard]] Time quantile(std::size_t flow, double q) { return delays_.quantile(flow, q); }
    [[nodiscard]] std::span<const PacketRecord> records() const { return records_; }

  private:
    static constexpr std::uint32_t kNotKept = 0xFFFF'FFFF;
    static constexpr std::int64_t kEndOfPath = -1;

    void play(Time until);
    void warm_up_is_over();
    void fire(const PacketEvent& event);
    void schedule_source(std::size_t flow);
    void arrive(const PacketEvent& event);
    void end_transmission(const PacketEvent& event);
    void enter(const PacketEvent& event, PacketOnLink& packet);
    void start(std::size_t link, Time now);
    void plan(std::size_t link);
    void receive(Time now, const PacketOnLink& packet);
    void lose(std::size_t link, const PacketOnLink& packet);
    [[nodiscard]] std::uint32_t keep(Time now, std::uint32_t flow, std::uint32_t bytes);
    [[nodiscard]] PacketEvent::Tag next_tag(std::size_t station);
    // In the tag of a hop: link l, or L + l for the end of its transmission.
    [[nodiscard]] std::size_t ending(std::size_t link) const { return link_count_ + link; }

    Time warm_up_;
    std::size_t link_count_;
    bool warm_ = false, record_, broken_ = false;
    std::int64_t most_packets_;
    std::vector<std::int32_t> path_;        // links of all flows, -1 after each
    std::vector<std::uint32_t> first_hop_;  // by flow
    std::vector<PacketLink> links_;
    PacketSources sources_;
    std::vector<PacketSources::Packet> next_;  // by flow
    PacketEvents births_, hops_;               // stations: flows; links
    std::uint64_t order_ = 0;
    Time now_ = 0;
    std::int64_t under_way_ = 0, packet_hops_ = 0;
    std::vector<PacketCount> counts_;
    std::vector<std::uint32_t> made_;  // by flow
    PacketDelays delays_;
    std::vector<PacketRecord> records_;
};

}  // namespace tiertwin::plant
