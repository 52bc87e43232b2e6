#include "plant/packet_sources.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "base/error.hpp"
#include "plant/event_tree.hpp"

namespace tiertwin::plant {
namespace {

constexpr double kLongestGap_ns = 1e300;  // a mean beyond it, as of no packets a second, is no packet

// Whole ns of a drawn time; what lies beyond any run is cut, so that adding it to a time is safe.
Time rounded(double ns) { return std::llround(std::min(ns, static_cast<double>(kHorizon))); }

}  // namespace

std::uint32_t packet_bytes(PacketSize law, double bytes, std::uint32_t high, std::uint32_t low) {
    constexpr std::uint64_t kParts = 12, kSmall = 7, kMiddle = 11;
    if (law == PacketSize::kFixed) return static_cast<std::uint32_t>(bytes);
    if (law == PacketSize::kExponential) {
        const std::int64_t drawn = std::llround(bytes * exponential(high, low));
        return static_cast<std::uint32_t>(std::clamp<std::int64_t>(drawn, kLeastDrawn, kLargestPacket));
    }
    const std::uint64_t part = std::uint64_t{high} * kParts >> 32;
    return part < kSmall ? 64 : part < kMiddle ? 594 : 1518;
}

PacketSources::PacketSources(const PacketConfig& config)
    : chance_(config.seed), stop_(config.stop_ns), sources_(config.flows()) {
    read_trace(config);
    for (std::size_t f = 0; f < sources_.size(); ++f) start(config, f);
}

void PacketSources::read_trace(const PacketConfig& config) {
    for (const std::int64_t flow : config.trace_flow) ++sources_[static_cast<std::size_t>(flow)].end;
    std::uint32_t begin = 0;
    for (Source& source : sources_) {
        source.played = begin;
        begin = source.end += begin;
    }
    std::vector<std::uint32_t> place(sources_.size());
    for (std::size_t f = 0; f < sources_.size(); ++f) place[f] = sources_[f].played;
    trace_.resize(config.trace_flow.size());
    for (std::size_t i = 0; i < trace_.size(); ++i) {
        trace_[place[static_cast<std::size_t>(config.trace_flow[i])]++] = {
            config.trace_time_ns[i], static_cast<std::uint32_t>(config.trace_bytes[i])};
    }
}

void PacketSources::start(const PacketConfig& config, std::size_t f) {
    Source& source = sources_[f];
    source.key = static_cast<std::uint64_t>(config.flow_key[f]);
    source.arrival = static_cast<PacketArrival>(config.flow_arrival[f]);
    source.law = static_cast<PacketSize>(config.flow_size[f]);
    if (source.arrival == PacketArrival::kTrace) return;
    source.bytes = static_cast<double>(config.flow_bytes[f]);
    source.gap_ns = 1e9 / config.flow_pps[f];
    source.silent = !(source.gap_ns < kLongestGap_ns);
    if (source.arrival == PacketArrival::kConstant) {
        const PhiloxBlock words = chance_.block(source.key, Purpose::kPacketPhase, 0);
        source.time = config.flow_phase_ns[f];
        if (source.time < 0)
            source.time = static_cast<Time>(std::min(source.gap_ns, 0x1p52) * uniform(words[0], words[1]));
    } else if (source.arrival == PacketArrival::kOnOff) {
        source.on_ns = config.flow_on_s[f] * 1e9;
        source.off_ns = config.flow_off_s[f] * 1e9;
        source.gap_ns *= source.on_ns / (source.on_ns + source.off_ns);
        const PhiloxBlock words = chance_.block(source.key, Purpose::kPacketPhase, 0);
        const bool on = uniform(words[0], words[1]) * (source.on_ns + source.off_ns) < source.on_ns;
        source.on_left = on ? rounded(exponential(words[2], words[3]) * source.on_ns) : 0;
    }
}

PacketSources::Packet PacketSources::next(std::size_t f) {
    Source& source = sources_[f];
    if (source.arrival == PacketArrival::kTrace) {
        if (source.played == source.end || trace_[source.played].time >= stop_) return {kNever, 0};
        return trace_[source.played++];
    }
    if (source.silent) return {kNever, 0};
    const PhiloxBlock words = chance_.block(source.key, Purpose::kPacket, source.made);
    const Time time = arrive(source, words);
    if (time >= stop_) return {kNever, 0};
    if (++source.made == std::numeric_limits<std::uint32_t>::max()) {
        throw Error("flow " + std::to_string(f) + " made 2^32 - 1 packets and has no more random numbers; split it");
    }
    return {time, packet_bytes(source.law, source.bytes, words[2], words[3])};
}

Time PacketSources::arrive(Source& source, const PhiloxBlock& words) {
    if (source.arrival == PacketArrival::kConstant) {
        return source.time + rounded(source.made * source.gap_ns);
    }
    const Time gap = rounded(exponential(words[0], words[1]) * source.gap_ns);
    return source.arrival == PacketArrival::kOnOff ? arrive_in_bursts(source, gap) : source.time += gap;
}

Time PacketSources::arrive_in_bursts(Source& source, Time gap) {
    while (gap >= source.on_left && source.time < stop_) {
        const PhiloxBlock words = chance_.block(source.key, Purpose::kPacketBurst, source.bursts++);
        gap -= source.on_left;
        source.time += source.on_left + rounded(exponential(words[0], words[1]) * source.off_ns);
        source.on_left = rounded(exponential(words[2], words[3]) * source.on_ns);
    }
    source.on_left -= gap;
    return source.time += gap;
}

}  // namespace tiertwin::plant
