// A radio access network: C cells, U users of K classes in Z zones, and the rules of radio, sleep, telemetry and of
// what is hidden. Plain arrays, checked once.
#pragma once

#include <cstdint>
#include <vector>

#include "base/types.hpp"
#include "plant/mobility.hpp"
#include "plant/packet_config.hpp"
#include "radio/cells.hpp"
#include "radio/handover.hpp"

namespace tiertwin::plant {

inline constexpr std::size_t kDirections = 2;  // 0 down, 1 up: flow 2u + d of user u, group 2k + d of class k
inline constexpr std::int64_t kLed = 6;        // as a movement: as told

struct AccessConfig {
    std::uint64_t seed = 0;

    // Cells as they are planned; what stands there differs by the secrets below. PRBs are of 180 kHz and 1 ms. Power by
    // the EARTH model (access_energy.hpp): chains, W a chain without load, W a radiated W, W a chain asleep.
    std::vector<double> cell_x, cell_y, cell_height, cell_ghz, cell_bandwidth_hz, cell_power_dbm, cell_azimuth,
        cell_tilt, cell_noise_db, cell_idle_w, cell_slope, cell_sleep_w;
    std::vector<std::int64_t> cell_environment, cell_every_way, cell_rows, cell_columns, cell_site, cell_prbs,
        cell_chains;

    double west = 0, south = 0, east = 0, north = 0;  // where users may be, m; inside what the cells reach

    // Zones: rectangles in the map, each with its rules of movement (their width and height are the zone's).
    std::vector<double> zone_x, zone_y;
    std::vector<MobilityRules> zone_rules;

    // Users. Their draws belong to their keys. Movement: a Walk, or kLed: still until somebody moves them. Still and
    // led ones stand where they are put; the others begin where their movement puts them in their zone.
    std::vector<std::int64_t> user_key, user_class, user_zone, user_walk, user_train, user_indoors;
    std::vector<double> user_x, user_y, user_z;

    // Classes: seconds between reports (0: none) and, [K x 2], what comes down and goes up: arrivals a second of so
    // many packets each, their sizes, and how many packets may wait.
    std::vector<double> class_report_s, flow_pps, flow_on_s, flow_off_s;
    std::vector<std::int64_t> flow_arrival, flow_size, flow_bytes, flow_burst, flow_buffer;

    // Radio.
    std::int64_t step_ms = 100;               // between two looks at positions, levels and loads
    std::int64_t heard = 20, measured = 6;    // cells that disturb a user; cells that it measures
    std::int64_t masts = 24;                  // judged for them, the strongest by median; 0: all
    double refresh_m = 5;                     // links are found again after so much movement
    double high_loss_share = 0.2;             // of buildings
    double user_noise_db = 7, user_dbm = 23;  // noise figure and most power of users
    double p0_dbm = -80, alpha = 0.8;         // of a PRB; share of the loss made up for
    double interruption_ms = 40, reestablish_ms = 200;
    radio::HandoverRules handover;

    std::int64_t sleep_after_ms = 0, wake_ms = 0;  // idle for so long: asleep (0: never); from the first packet on

    // Telemetry.
    double cell_report_s = 1, delay_low_s = 0.02, delay_high_s = 0.08, loss = 0.01, noise = 0.03, clock_offset_s = 0.05,
           level_db = 1, position_m = 5;

    // What is hidden: deviations of a cell's loss and of its antenna's direction, the share of Shannon's rate it gets,
    // the share of cells that serve in order instead of in turn, the share of users that never report.
    double hidden_loss_db = 3, hidden_azimuth = 5, hidden_tilt = 1, efficiency_low = 0.6, efficiency_high = 0.75,
           in_order_share = 0.25, unseen_share = 0.02;

    bool record = false;  // keep what every packet met

    [[nodiscard]] std::size_t cells() const { return cell_x.size(); }
    [[nodiscard]] std::size_t users() const { return user_class.size(); }
    [[nodiscard]] std::size_t classes() const { return class_report_s.size(); }
    [[nodiscard]] bool moves(std::size_t user) const { return user_walk[user] != 0; }
    [[nodiscard]] bool walks(std::size_t user) const { return moves(user) && user_walk[user] != kLed; }
    [[nodiscard]] Time step() const { return step_ms * kMillisecond; }
    [[nodiscard]] bool holds(double x, double y) const { return x >= west && x <= east && y >= south && y <= north; }

    // Cell c as planned. InvalidArgument from the radio module when it cannot be.
    [[nodiscard]] radio::Cell cell(std::size_t c) const;

    // Throws InvalidArgument naming field, index, value and what was expected.
    void validate() const;
};

}  // namespace tiertwin::plant
