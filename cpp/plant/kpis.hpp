// What really happened, counted: by group (site, class, ring) and, for latencies, a histogram by class.
//
//   generated = completed + shed + lost + under way,   completed = in time + late
//
// The histogram is log-linear in whole nanoseconds: 128 bins an octave (less than 0.8 % wide) from 1 us to 1 100 s;
// what lies outside falls into the end bins. Counts add, so histograms of parts merge exactly.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/types.hpp"
#include "plant/task.hpp"

namespace tiertwin::plant {

struct GroupCount {
    std::int64_t generated = 0, in_time = 0, late = 0, shed = 0, lost = 0;
    std::array<std::int64_t, kTiers> executed{};  // completed, by tier
    // Sums in whole units: the order of adding cannot show.
    Time latency_ns = 0;  // over completed
    Time in_time_latency_ns = 0;
    std::int64_t energy_nj = 0;  // of completed and lost tasks
    double goodput_mb = 0;       // of tasks in time
};

inline constexpr int kSubBits = 7;
inline constexpr int kLowestOctave = 10;  // 2^10 ns
inline constexpr int kOctaves = 30;
inline constexpr std::size_t kBins = std::size_t{kOctaves} << kSubBits;

[[nodiscard]] constexpr std::size_t latency_bin(Time latency_ns) {
    const auto low = std::uint64_t{1} << kLowestOctave;
    const std::uint64_t ns = std::max(static_cast<std::uint64_t>(std::max<Time>(latency_ns, 0)), low);
    const int octave = 63 - std::countl_zero(ns);
    const std::uint64_t sub = (ns >> (octave - kSubBits)) & ((1U << kSubBits) - 1);
    const std::size_t bin = (static_cast<std::size_t>(octave - kLowestOctave) << kSubBits) + sub;
    return std::min(bin, kBins - 1);
}

// Lower edge of a bin in seconds; bin kBins gives the upper edge of the last.
[[nodiscard]] constexpr double latency_edge_s(std::size_t bin) {
    const std::uint64_t octave = kLowestOctave + (bin >> kSubBits), sub = bin & ((1U << kSubBits) - 1);
    return static_cast<double>(((std::uint64_t{1} << kSubBits) + sub) << (octave - kSubBits)) * 1e-9;
}

// Of a radio access network (access.hpp). PRBs are those of whole steps that are over.
struct RadioKpis {
    std::int64_t handovers = 0, ping_pongs = 0, link_failures = 0;
    std::int64_t users_without_cell = 0;                           // now
    std::int64_t down_sent = 0, down_received = 0, down_lost = 0;  // packets
    Time down_delay = 0;                                           // ns, sum over those received
    std::vector<std::int64_t> down_histogram;                      // their delays, bins as above
    std::int64_t up_bits = 0, up_prbs = 0;
};

struct Kpis {
    Time from = 0, to = 0;
    index_t in_flight = 0;
    std::vector<GroupCount> groups;
    std::vector<std::int64_t> histogram;   // [class][bin]
    std::vector<double> server_load_ghz;   // mean busy over the interval
    std::vector<double> link_load_mbps;    // tasks only
    std::vector<double> link_utilisation;  // tasks and background, of the capacity
    std::vector<double> cell_airtime;      // busy share of the site's cells
    // Only where they are enabled, else empty (surroundings.hpp).
    std::vector<double> link_down_s, server_down_s;            // by directed link, by server; whyever
    std::vector<std::int64_t> link_failures, server_failures;  // of parts that wear: by undirected link, by server
    std::vector<double> link_capacity_mbps;                    // mean, by directed link, under the weather
    std::vector<double> station_j, station_asleep_s;           // base stations of each site
    std::optional<RadioKpis> radio;
};

}  // namespace tiertwin::plant
