// How reports reach the twins: late, lossy, noisy, by a clock that is off.
//
// Every device, server and link (under a radio access network, every site for its groups instead of devices) reports
// once a period at a phase of its own; the first report comes between half and
// one and a half periods after the start (shorter intervals would make wild rates). A report is lost with probability
// `loss`; otherwise it arrives `U(delay_low, delay_high)` later, so two reports of one sender may overtake each other
// when the period is shorter than the spread. Measured values carry a factor 1 + noise * N(0, 1), cut at 0.
//
// Costs      about 0.4 us a report, no heap: phases are sorted once and the timeline walks round them.
// Thread     one thread owns it.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "base/types.hpp"
#include "plant/chance.hpp"
#include "plant/config.hpp"

namespace tiertwin::plant {

enum class Sender : std::int32_t { kDevice = 0, kServer = 1, kLink = 2, kBaseStation = 3 };

inline constexpr std::size_t kDeviceAttributes =
    8;  // task_rate, radio_mbps, cpu_load, queue_tasks, latency_ms, completed, missed, energy_j
inline constexpr std::size_t kBaseStationAttributes = 4;                // prb_up, prb_up_peak, power_w, handovers
inline constexpr std::size_t kGroupAttributes = kDeviceAttributes + 1;  // the same over a group, users
inline constexpr std::size_t kServerAttributes = 3;                     // load_ghz, queue_tasks, up
inline constexpr std::size_t kLinkAttributes = 4;                       // load_mbps, capacity_mbps, up, background_mbps
inline constexpr std::size_t kSensorAttributes = 4;                     // temperature_c, vibration_mm_s, errors, up
inline constexpr std::size_t kWeatherAttributes = 3;                    // loss_db, bits, capacity_mbps

// What a device, or the users of a group, did since the last report.
struct Counts {
    std::uint32_t generated = 0, completed = 0, missed = 0;
    Time latency_ns = 0;
    std::int64_t energy_nj = 0;
};

template <std::size_t Width>
struct Report {
    Time arrival, clock;  // true arrival; generation by the sender's clock
    std::int32_t site, id;
    std::array<double, Width> values;
};

// Reports by site (row S: senders at no site), in order of arrival within a site.
template <std::size_t Width>
struct Batch {
    std::vector<std::int64_t> site_ptr;
    std::vector<Report<Width>> rows;
};

// The next report in time; walks round the senders for ever.
class ReportClock {
  public:
    struct Turn {
        Time phase;
        Sender sender;
        std::int32_t id;
        bool late_start;  // its first report would come too early: it begins one period later
    };

    // `base_stations`: sites report in the place of devices.
    ReportClock(const Config& config, const Chance& chance, bool base_stations = false);

    [[nodiscard]] Time next() const { return next_; }
    [[nodiscard]] const Turn& turn() const { return turns_[position_]; }
    [[nodiscard]] std::uint32_t number() const { return round_; }
    // A turn a few reports ahead (or the last one of the round).
    [[nodiscard]] const Turn& soon() const { return turns_[std::min(position_ + 6, turns_.size() - 1)]; }
    void step();

  private:
    void settle();

    Time period_;
    std::vector<Turn> turns_;  // by (phase, sender, id)
    std::size_t position_ = 0;
    std::uint32_t round_ = 0;
    Time next_;
};

// A report's fate and its noise, drawn by (sender, number).
class Mouth {
  public:
    Mouth(const Config& config, const Chance& chance) : config_(config), chance_(chance) {}

    struct Fate {
        bool lost;
        Time delay;
    };
    [[nodiscard]] Fate fate(std::uint64_t key, Purpose purpose, std::uint32_t number) const;

    // Multiplies by (1 + noise * N) two values of pair `pair` (0 or 1); negative results become 0.
    void blur(double& a, double& b, std::uint64_t key, Purpose purpose, std::uint32_t number, std::uint32_t pair) const;

  private:
    const Config& config_;
    const Chance& chance_;
};

// Moves the reports that arrived by `until` out of `pending`, sorted by (site, arrival, order of generation).
template <std::size_t Width>
[[nodiscard]] Batch<Width> take_arrived(std::vector<Report<Width>>& pending, Time until, index_t sites);

}  // namespace tiertwin::plant
