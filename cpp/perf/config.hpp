// What the performance model reads: links, flows with their paths, and the model's fitted coefficients. Plain arrays,
// checked once.
//
// Units      rates bit/s and packets/s, sizes bytes on the wire, times seconds (propagation: ns), powers W.
// Thread safety  plain data.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "base/types.hpp"

namespace tiertwin::perf {

enum class LinkKind : std::int64_t { kFifo = 0, kSharing = 1, kPriority = 2 };

inline constexpr std::int64_t kNoLimit = 2'147'483'647;  // as a buffer: nothing is ever dropped
inline constexpr std::int64_t kMostClasses = 64;

// Ours, fitted on packet runs over training topologies, see docs/performance-model.md; nothing here is theory.
struct Coefficients {
    double own_fade = 1.3566;        // how fast a flow's own light-traffic term fades with load: exponent of 1 - rho
    double size_fade = 1.0986;       // ... and the mean one, beyond 1, with sizes that vary (times v)
    double smooth_share = 1.6107;    // smoothing: exponent of the stream's share of the link
    double smooth_memory = 0.6496;   // ... how fast it grows with how long the link before remembers
    double smooth_sizes = 3.0635;    // ... exponent of the load, beyond 1, with sizes that vary (times v)
    double joint_variance = 1.2102;  // waits along a path go together: their summed variance times this,
    double joint_skew = 1.4341;      // and their third cumulant times this, on a path of many like hops; 1 on one hop
    double mean_sd = 0.0108;         // one standard deviation of what is wrong with the waits of a path, all links
    double own_sd = 0.0673;          // alike: this, + this * rho * what light traffic adds to R,
    double smooth_sd = 0.0687;       // + this * what smoothing takes from it
    double tail_sd = 0.0266;         // of p99 less the fixed delay, besides what the waits do to it
    double loss_sd = 0.1483;         // of the logarithm of a loss
    double burst_sd = 0.5;           // of the part of a wait that comes from arrivals that are not Poisson

    static constexpr std::size_t kCount = 13;
    [[nodiscard]] static Coefficients from(const std::vector<double>& values);
    [[nodiscard]] std::array<double, kCount> values() const;
};

// The paths, on which everything that can be prepared depends.
struct Paths {
    std::int64_t links = 0;
    std::vector<std::int64_t> path_ptr, path_links;  // flow f takes path_links[path_ptr[f] : path_ptr[f+1]]

    [[nodiscard]] std::size_t flows() const { return path_ptr.size() - 1; }
    void validate() const;  // throws InvalidArgument naming field, index, value and what was expected
};

// One state of the network. Every array has one entry a link, or one a flow.
struct Traffic {
    std::vector<double> link_rate_bps, link_delay_ns;
    std::vector<std::int64_t> link_buffer;  // packets that may wait besides the one that is sent
    std::vector<std::int64_t> link_kind;    // LinkKind; sharing and priority links need an unlimited buffer
    std::vector<double> link_idle_w, link_full_w;
    std::vector<double> flow_pps;
    std::vector<double> flow_size, flow_size2, flow_size3;  // moments of the packet size: bytes, bytes^2, bytes^3
    std::vector<double> flow_smallest, flow_largest;        // bytes; largest may be infinite
    std::vector<double> flow_ca2;      // index of dispersion of arrivals over long times; 1: Poisson, 0: constant rate
    std::vector<double> flow_burst_s;  // its correlation time; 0: that of single packets
    std::vector<std::int64_t> flow_class;  // at priority links, 0 is served first

    // Throws InvalidArgument naming field, index, value and what was expected.
    void validate(std::size_t links, std::size_t flows) const;
};

}  // namespace tiertwin::perf
