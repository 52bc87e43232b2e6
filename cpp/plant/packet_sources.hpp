// When flows make packets, and how large: an open loop, drawn packet by packet.
//
//   Poisson    the gap before packet n is round(Exp(1) * 1e9 / pps) ns
//   constant   packet n is made at phase + round(n * 1e9 / pps)
//   on-off     gaps are round(Exp(1) * mean gap while on) of *on time*; off times lie between
//   trace      given times and sizes
//
// Draws are Philox blocks keyed by (seed, key of the flow, purpose) and counted by the flow's own packets and bursts: a
// flow makes the same packets whoever else exists.
//
// Thread     one thread owns it.   Costs  a packet: one Philox block and up to two logarithms, about 40 ns.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/types.hpp"
#include "plant/chance.hpp"
#include "plant/packet_config.hpp"

namespace tiertwin::plant {

class PacketSources {
  public:
    explicit PacketSources(const PacketConfig& config);

    struct Packet {
        Time time;  // kNever: the flow makes no more
        std::uint32_t bytes;
    };

    // The next packet of flow f; each flow's come in order of time.
    [[nodiscard]] Packet next(std::size_t f);

  private:
    struct Source {
        std::uint64_t key = 0;
        bool silent = false;
        PacketArrival arrival{};
        PacketSize law{};
        double bytes = 0;              // or their mean
        double gap_ns = 0;             // mean, while on
        double on_ns = 0, off_ns = 0;  // means
        Time time = 0;                 // of the last packet; of a constant flow, its phase
        Time on_left = 0;              // of the running on time
        std::uint32_t made = 0, bursts = 0;
        std::uint32_t played = 0, end = 0;  // in trace_
    };
    void start(const PacketConfig& config, std::size_t f);
    void read_trace(const PacketConfig& config);
    [[nodiscard]] Time arrive(Source& source, const PhiloxBlock& words);
    [[nodiscard]] Time arrive_in_bursts(Source& source, Time gap);

    Chance chance_;
    Time stop_;
    std::vector<Source> sources_;
    std::vector<Packet> trace_;  // flow by flow
};

// Bytes of a packet by its law, from two random words.
[[nodiscard]] std::uint32_t packet_bytes(PacketSize law, double bytes, std::uint32_t high, std::uint32_t low);

}  // namespace tiertwin::plant
