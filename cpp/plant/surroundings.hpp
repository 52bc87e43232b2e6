// What acts on a plant from outside or from within its parts: wear, weather, sleep. A plant that has none of them is as
// if this did not exist: no event, no draw, no report.
//
// An element may be down for several reasons at once (ordered, worn, outage of its radio, a fault injected); it is up
// when none is left.
// Load of a part over a measurement period: of a link, tasks and background of its busier direction over the capacity;
// of a server, its busy share.
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "base/types.hpp"
#include "plant/faults.hpp"
#include "plant/sleep.hpp"
#include "plant/telemetry.hpp"
#include "plant/wear.hpp"
#include "plant/weather.hpp"

namespace tiertwin::plant {

enum class Reason : std::uint8_t { kOrdered = 1, kWorn = 2, kOutage = 4, kInjected = 8 };

// A part's key: what it is in the upper 32 bits, its number (undirected link, server) in the lower.
enum class PartKind : std::int64_t { kLink = 0, kServer = 1 };
[[nodiscard]] constexpr PartKind part_kind(std::int64_t key) { return static_cast<PartKind>(key >> 32); }
[[nodiscard]] constexpr index_t part_id(std::int64_t key) { return key & 0xFFFF'FFFF; }

// How long something was down, whyever.
struct DownTime {
    Time since = kNever, before = 0, at_kpis = 0;
    void mark(Time now, bool down) {
        if (down == (since != kNever)) return;
        if (!down) before += now - since;
        since = down ? now : kNever;
    }
    [[nodiscard]] Time until(Time now) const { return before + (since == kNever ? 0 : now - since); }
};

struct Surroundings {
    std::optional<Wear> wear;
    std::optional<Weather> weather;
    std::optional<Sleep> sleep;
    std::optional<Faults> faults;
    [[nodiscard]] bool capacities_move() const { return weather.has_value() || faults.has_value(); }

    // Of parts, at their last measurement: work done by then, both directions of a link.
    std::vector<std::array<double, 2>> done;
    std::vector<double> load;
    std::vector<std::int64_t> failures_at_kpis;               // by part
    std::vector<double> station_j_at_kpis, asleep_s_at_kpis;  // by site
    std::vector<double> link_capacity_mb;  // integral of the capacity since the last KPIs, as the background's
    std::vector<double> nominal_mbps;      // capacity in clear sky, by directed link

    // Reports that nobody took: the newest ones, at least half of kMostPending; those dropped are counted.
    static constexpr std::size_t kMostPending = std::size_t{1} << 18;
    std::int64_t dropped = 0;
    template <std::size_t Width>
    void keep(std::vector<Report<Width>>& pending, const Report<Width>& report) {
        if (pending.size() >= kMostPending) {
            dropped += static_cast<std::int64_t>(kMostPending / 2);
            pending.erase(pending.begin(), pending.begin() + static_cast<std::ptrdiff_t>(kMostPending / 2));
        }
        pending.push_back(report);
    }
    std::vector<Report<kSensorAttributes>> link_sensors, server_sensors;
    std::vector<Report<kWeatherAttributes>> weather_reports;

    [[nodiscard]] Time next() const {
        Time next = kNever;
        if (wear) next = std::min({next, wear->next_event(), wear->next_measurement()});
        if (weather) next = std::min(next, weather->next());
        if (sleep) next = std::min(next, sleep->next());
        return next;
    }
};

}  // namespace tiertwin::plant
