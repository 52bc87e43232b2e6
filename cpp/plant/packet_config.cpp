#include "plant/packet_config.hpp"

#include <cmath>
#include <string>

#include "base/error.hpp"
#include "base/index.hpp"
#include "plant/event_tree.hpp"
#include "plant/packet_events.hpp"

namespace tiertwin::plant {
namespace {

using Integers = std::vector<std::int64_t>;
using Reals = std::vector<double>;

constexpr double kMostPacketsASecond = 1e9, kLeastPacketsABurst = 1e-3, kShortestOn_s = 1e-6;
constexpr std::size_t kLongestPaths = std::size_t{1} << 31;
constexpr std::int64_t kMostPackets = std::int64_t{1} << 31, kFastest_bps = 1'000'000'000'000'000;

void expect_size(const char* name, std::size_t got, std::size_t size, const char* unit) {
    if (got == size) return;
    throw InvalidArgument(std::string(name) + ": expected " + std::to_string(size) + " values (one per " + unit +
                          "), got " + std::to_string(got));
}

void expect_within(const std::string& where, std::int64_t value, std::int64_t low, std::int64_t high,
                   const char* what) {
    if (value >= low && value <= high) return;
    throw InvalidArgument(where + ": expected " + what + " from " + std::to_string(low) + " to " +
                          std::to_string(high) + ", got " + std::to_string(value));
}

void expect_all(const char* name, const Integers& values, std::int64_t low, std::int64_t high, const char* what) {
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (values[i] < low || values[i] > high) expect_within(element(name, i), values[i], low, high, what);
    }
}

void expect_real(const std::string& where, double value, double low, double high, const char* what) {
    if (value >= low && value <= high) return;  // NaN never does
    throw InvalidArgument(where + ": expected " + what + " from " + std::to_string(low) + " to " +
                          std::to_string(high) + ", got " + std::to_string(value));
}

void check_links(const PacketConfig& c) {
    expect_size("link_delay_ns", c.link_delay_ns.size(), c.links(), "link");
    expect_size("link_buffer", c.link_buffer.size(), c.links(), "link");
    expect_all("link_rate_bps", c.link_rate_bps, 1, kFastest_bps, "a rate in bit/s");
    expect_all("link_delay_ns", c.link_delay_ns, 0, kHorizon, "a propagation delay in ns");
    expect_all("link_buffer", c.link_buffer, 0, kNoLimit, "a number of packets that may wait");
    if (c.link_tail.empty() && c.link_head.empty()) return;
    expect_size("link_tail", c.link_tail.size(), c.links(), "link, or none at all");
    expect_size("link_head", c.link_head.size(), c.links(), "link, or none at all");
}

void check_paths(const PacketConfig& c) {
    expect_size("path_ptr", c.path_ptr.size(), c.flows() + 1, "flow, and one more");
    const auto size = static_cast<std::int64_t>(c.path_links.size());
    if (c.path_ptr.front() != 0 || c.path_ptr.back() != size) {
        throw InvalidArgument("path_ptr: expected to begin with 0 and to end with " + std::to_string(size) +
                              " (the length of path_links), got " + std::to_string(c.path_ptr.front()) + " and " +
                              std::to_string(c.path_ptr.back()));
    }
    expect_all("path_links", c.path_links, 0, static_cast<std::int64_t>(c.links()) - 1, "a link");
    for (std::size_t f = 0; f < c.flows(); ++f) {
        if (c.path_ptr[f + 1] <= c.path_ptr[f] || c.path_ptr[f + 1] > size) {
            throw InvalidArgument(element("path_ptr", f + 1) + ": expected more than " + std::to_string(c.path_ptr[f]) +
                                  " (flow " + std::to_string(f) + " needs a link at least) and at most " +
                                  std::to_string(size) + ", got " + std::to_string(c.path_ptr[f + 1]));
        }
        for (auto i = static_cast<std::size_t>(c.path_ptr[f]) + 1;
             !c.link_tail.empty() && i < static_cast<std::size_t>(c.path_ptr[f + 1]); ++i) {
            const std::int64_t before = c.path_links[i - 1], link = c.path_links[i];
            const auto head = c.link_head[static_cast<std::size_t>(before)];
            const auto tail = c.link_tail[static_cast<std::size_t>(link)];
            if (head == tail) continue;
            throw InvalidArgument(element("path_links", i) + ": expected a link from node " + std::to_string(head) +
                                  ", where link " + std::to_string(before) + " of flow " + std::to_string(f) +
                                  " ends, got link " + std::to_string(link) + " from node " + std::to_string(tail));
        }
    }
}

void check_bursts(const PacketConfig& c, std::size_t f) {
    expect_real(element("flow_on_s", f), c.flow_on_s[f], kShortestOn_s, 1e9, "a mean on time in s");
    expect_real(element("flow_off_s", f), c.flow_off_s[f], 0.0, 1e9, "a mean off time in s");
    const double burst = c.flow_pps[f] * (c.flow_on_s[f] + c.flow_off_s[f]);
    if (burst > 0 && burst < kLeastPacketsABurst) {
        throw InvalidArgument(element("flow_pps", f) + ": expected at least " + std::to_string(kLeastPacketsABurst) +
                              " packets in a mean on and off time, got " + std::to_string(burst) +
                              "; such a flow is better Poisson");
    }
}

void check_flows(const PacketConfig& c) {
    for (const auto& [name, values] : {std::pair{"flow_arrival", &c.flow_arrival},
                                       {"flow_phase_ns", &c.flow_phase_ns},
                                       {"flow_size", &c.flow_size},
                                       {"flow_bytes", &c.flow_bytes}}) {
        expect_size(name, values->size(), c.flows(), "flow");
    }
    for (const auto& [name, values] :
         {std::pair{"flow_pps", &c.flow_pps}, {"flow_on_s", &c.flow_on_s}, {"flow_off_s", &c.flow_off_s}}) {
        expect_size(name, values->size(), c.flows(), "flow");
    }
    expect_all("flow_key", c.flow_key, 0, std::numeric_limits<std::int64_t>::max(), "a key");
    expect_all("flow_arrival", c.flow_arrival, 0, 3, "an arrival (0 Poisson, 1 constant, 2 on-off, 3 trace)");
    expect_all("flow_size", c.flow_size, 0, 2, "a size law (0 fixed, 1 exponential, 2 IMIX)");
    expect_all("flow_phase_ns", c.flow_phase_ns, -1, kHorizon, "a time in ns (-1: drawn)");
    for (std::size_t f = 0; f < c.flows(); ++f) {
        const auto arrival = static_cast<PacketArrival>(c.flow_arrival[f]);
        if (arrival == PacketArrival::kTrace) continue;
        expect_real(element("flow_pps", f), c.flow_pps[f], 0.0, kMostPacketsASecond, "packets a second");
        if (arrival == PacketArrival::kOnOff) check_bursts(c, f);
        if (static_cast<PacketSize>(c.flow_size[f]) != PacketSize::kImix) {
            expect_within(element("flow_bytes", f), c.flow_bytes[f], 1, kLargestPacket, "a size in bytes");
        }
    }
}

void check_trace(const PacketConfig& c) {
    expect_size("trace_flow", c.trace_flow.size(), c.trace_time_ns.size(), "packet of the trace");
    expect_size("trace_bytes", c.trace_bytes.size(), c.trace_time_ns.size(), "packet of the trace");
    expect_all("trace_time_ns", c.trace_time_ns, 0, kHorizon, "a time in ns");
    expect_all("trace_flow", c.trace_flow, 0, static_cast<std::int64_t>(c.flows()) - 1, "a flow");
    expect_all("trace_bytes", c.trace_bytes, 1, kLargestPacket, "a size in bytes");
    Integers last(c.flows(), 0);
    for (std::size_t i = 0; i < c.trace_flow.size(); ++i) {
        const auto f = static_cast<std::size_t>(c.trace_flow[i]);
        if (static_cast<PacketArrival>(c.flow_arrival[f]) != PacketArrival::kTrace) {
            throw InvalidArgument(element("trace_flow", i) + ": flow " + std::to_string(f) +
                                  " makes its own packets; expected a flow with flow_arrival 3 (trace)");
        }
        if (c.trace_time_ns[i] < last[f]) {
            throw InvalidArgument(element("trace_time_ns", i) + ": expected times that do not go back within flow " +
                                  std::to_string(f) + ", got " + std::to_string(c.trace_time_ns[i]) + " after " +
                                  std::to_string(last[f]));
        }
        last[f] = c.trace_time_ns[i];
    }
}

}  // namespace

void PacketConfig::validate() const {
    if (path_links.size() > kLongestPaths) {
        throw InvalidArgument("path_links: expected at most " + std::to_string(kLongestPaths) + " in all, got " +
                              std::to_string(path_links.size()));
    }
    const std::size_t stations = 2 * links() + flows();
    if (stations > PacketEvent::kMostStations) {
        throw InvalidArgument("2 x links + flows: expected at most " + std::to_string(PacketEvent::kMostStations) +
                              ", got " + std::to_string(stations));
    }
    check_links(*this);
    check_paths(*this);
    check_flows(*this);
    check_trace(*this);
    expect_within("warm_up_ns", warm_up_ns, 0, kHorizon, "a time in ns");
    expect_within("stop_ns", stop_ns, 0, kHorizon, "a time in ns");
    expect_within("most_packets", most_packets, 1, kMostPackets, "a number of packets");
}

}  // namespace tiertwin::plant
