// A network of packets: L directed links, F flows with a path each, and how their packets are made. Plain arrays,
// checked once. All times are whole nanoseconds; a size is that of the frame on the wire, headers included.
#pragma once

#include <cstdint>
#include <vector>

#include "base/types.hpp"

namespace tiertwin::plant {

enum class PacketArrival : std::int64_t { kPoisson = 0, kConstant = 1, kOnOff = 2, kTrace = 3 };
enum class PacketSize : std::int64_t { kFixed = 0, kExponential = 1, kImix = 2 };

inline constexpr std::int64_t kLeastDrawn = 31,
                              kLargestPacket = 9000;     // bytes; drawn sizes hold headers (30) and a byte
inline constexpr std::int64_t kNoLimit = 2'147'483'647;  // as a buffer: nothing is ever dropped

struct PacketConfig {
    std::uint64_t seed = 0;
    // Links: a transmitter of `rate` with room for `buffer` packets that wait, besides the one it sends.
    std::vector<std::int64_t> link_rate_bps, link_delay_ns, link_buffer;
    std::vector<std::int64_t> link_tail, link_head;  // nodes, to check that paths hang together; or both empty
    // Flow f goes over path_links[path_ptr[f] : path_ptr[f+1]]. Its draws are keyed by flow_key[f]: keep the key when
    // flows come and go.
    std::vector<std::int64_t> path_ptr, path_links, flow_key;
    // Arrivals: Poisson; constant (one every 1/pps, the first at phase_ns, or at a drawn phase when that is -1);
    // Poisson while on, with exponential on and off times of these means (pps is the mean over both); the trace below.
    std::vector<std::int64_t> flow_arrival, flow_phase_ns;
    std::vector<double> flow_pps, flow_on_s, flow_off_s;
    // Sizes: fixed; clamp(round(bytes * Exp(1)), 31, 9000); 64, 594, 1518 bytes as 7 : 4 : 1 (bytes is not read).
    std::vector<std::int64_t> flow_size, flow_bytes;
    // Packets of the flows that play a trace, each flow's in order of time.
    std::vector<std::int64_t> trace_time_ns, trace_flow, trace_bytes;
    // Sources are silent from stop_ns on; packets born before warm_up_ns are not counted.
    Time warm_up_ns = 0, stop_ns = 0;
    bool record = false;            // keep every counted packet
    std::int64_t most_packets = 0;  // bound on packets under way, and on packets kept

    [[nodiscard]] std::size_t links() const { return link_rate_bps.size(); }
    [[nodiscard]] std::size_t flows() const { return flow_key.size(); }

    // Throws InvalidArgument naming field, index, value and what was expected.
    void validate() const;
};

}  // namespace tiertwin::plant
