#include "plant/access_config.hpp"

#include <cmath>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "base/index.hpp"

namespace tiertwin::plant {
namespace {

using Integers = std::vector<std::int64_t>;
using Reals = std::vector<double>;

constexpr double kMost = 1e9;          // of anything in m, s or W
constexpr double kEveryWayGain = 5.0;  // dBi, of small cells: TR 36.814 table A.2.1.1.2-3

std::string text(double value) { return std::to_string(value); }

void expect_within(const std::string& where, double value, double low, double high, const char* what) {
    if (value >= low && value <= high) return;  // NaN never is
    throw InvalidArgument(where + ": expected " + what + " from " + text(low) + " to " + text(high) + ", got " +
                          text(value));
}

template <typename T>
void expect_all(const char* name, const std::vector<T>& values, std::size_t size, const char* unit, double low,
                double high, const char* what) {
    if (values.size() != size) {
        throw InvalidArgument(std::string(name) + ": expected " + std::to_string(size) + " values (one per " + unit +
                              "), got " + std::to_string(values.size()));
    }
    for (std::size_t i = 0; i < size; ++i)
        expect_within(element(name, i), static_cast<double>(values[i]), low, high, what);
}

void check_cells(const AccessConfig& c) {
    const std::size_t n = c.cells();
    expect_within("cells", static_cast<double>(n), 1, 1 << 20, "a number of cells");
    const auto reals = [&](const char* name, const Reals& values, double low, double high, const char* what) {
        expect_all(name, values, n, "cell", low, high, what);
    };
    const auto integers = [&](const char* name, const Integers& values, double low, double high, const char* what) {
        expect_all(name, values, n, "cell", low, high, what);
    };
    reals("cell_x", c.cell_x, -kMost, kMost, "m");
    reals("cell_y", c.cell_y, -kMost, kMost, "m");
    reals("cell_height", c.cell_height, 0.5, 500, "a height in m");
    reals("cell_ghz", c.cell_ghz, 0.1, 100, "a frequency in GHz");
    reals("cell_bandwidth_hz", c.cell_bandwidth_hz, 1.8e5, 1e10, "a bandwidth in Hz");
    reals("cell_power_dbm", c.cell_power_dbm, -50, 80, "a power in dBm");
    reals("cell_azimuth", c.cell_azimuth, -360, 360, "an azimuth in degrees");
    reals("cell_tilt", c.cell_tilt, -90, 90, "a tilt in degrees");
    reals("cell_noise_db", c.cell_noise_db, 0, 30, "a noise figure in dB");
    reals("cell_idle_w", c.cell_idle_w, 0, 1e5, "a power in W");
    reals("cell_slope", c.cell_slope, 0, 1e3, "W a radiated W");
    reals("cell_sleep_w", c.cell_sleep_w, 0, 1e5, "a power in W");
    integers("cell_environment", c.cell_environment, 0, 3, "an environment (0 uma, 1 umi, 2 rma, 3 inh)");
    integers("cell_every_way", c.cell_every_way, 0, 1, "0 (a sector) or 1 (every way)");
    integers("cell_rows", c.cell_rows, 1, 256, "rows of an array");
    integers("cell_columns", c.cell_columns, 1, 256, "columns of an array");
    integers("cell_site", c.cell_site, 0, 1 << 20, "a site");
    integers("cell_prbs", c.cell_prbs, 1, 1 << 16, "resource blocks");
    integers("cell_chains", c.cell_chains, 1, 1024, "transceiver chains");
    for (std::size_t i = 0; i < n; ++i) {
        if (static_cast<double>(c.cell_prbs[i]) * 1.8e5 > c.cell_bandwidth_hz[i]) {
            throw InvalidArgument(element("cell_prbs", i) + ": expected blocks of 180 kHz that fit into " +
                                  text(c.cell_bandwidth_hz[i]) + " Hz, got " + std::to_string(c.cell_prbs[i]));
        }
    }
}

void check_zones(const AccessConfig& c) {
    expect_within("east - west", c.east - c.west, 1, kMost, "a width of the map in m");
    expect_within("north - south", c.north - c.south, 1, kMost, "a height of the map in m");
    const std::size_t n = c.zone_rules.size();
    expect_all("zone_x", c.zone_x, n, "zone", c.west, c.east, "a place in the map");
    expect_all("zone_y", c.zone_y, n, "zone", c.south, c.north, "a place in the map");
    for (std::size_t z = 0; z < n; ++z) {
        const MobilityRules& r = c.zone_rules[z];
        expect_within(element("zone_x", z) + " + width", c.zone_x[z] + r.width, c.west, c.east, "a place in the map");
        expect_within(element("zone_y", z) + " + height", c.zone_y[z] + r.height, c.south, c.north,
                      "a place in the map");
        for (const Place& p : r.track) {
            expect_within(element("zone_rules", z) + ": x of the track", p.x, 0, r.width, "a place in the zone");
            expect_within(element("zone_rules", z) + ": y of the track", p.y, 0, r.height, "a place in the zone");
        }
    }
}

void check_users(const AccessConfig& c) {
    const std::size_t n = c.users();
    expect_within("users", static_cast<double>(n), 1, 1 << 28, "a number of users");
    const auto integers = [&](const char* name, const Integers& values, double high, const char* what) {
        expect_all(name, values, n, "user", 0, high, what);
    };
    integers("user_class", c.user_class, static_cast<double>(c.classes()) - 1, "a class");
    integers("user_walk", c.user_walk, kLed, "a model of movement");
    expect_all("user_key", c.user_key, n, "user", 0, 0x1p52, "a key");
    integers("user_train", c.user_train, 1 << 30, "a train");
    integers("user_indoors", c.user_indoors, 1, "0 (outdoors) or 1 (indoors)");
    expect_all("user_zone", c.user_zone, n, "user", -1, static_cast<double>(c.zone_rules.size()) - 1, "a zone");
    for (const auto& [name, values] : {std::pair{"user_x", &c.user_x}, {"user_y", &c.user_y}, {"user_z", &c.user_z}}) {
        if (values->size() == n) continue;
        throw InvalidArgument(std::string(name) + ": expected " + std::to_string(n) + " values (one per user), got " +
                              std::to_string(values->size()));
    }
    for (std::size_t u = 0; u < n; ++u) {
        if (c.walks(u)) {
            if (c.user_zone[u] < 0) throw InvalidArgument("user " + std::to_string(u) + " moves, but has no zone");
            continue;
        }
        if (!c.holds(c.user_x[u], c.user_y[u])) {
            throw InvalidArgument("user " + std::to_string(u) + ": expected a place in the map (" + text(c.west) +
                                  ", " + text(c.south) + ") to (" + text(c.east) + ", " + text(c.north) + ") m, got (" +
                                  text(c.user_x[u]) + ", " + text(c.user_y[u]) + ")");
        }
        expect_within(element("user_z", u), c.user_z[u], 1, 22.5, "a height in m");
    }
}

void check_classes(const AccessConfig& c) {
    const std::size_t n = c.classes(), flows = kDirections * n;
    expect_within("classes", static_cast<double>(n), 1, 1 << 16, "a number of classes");
    const double step_s = static_cast<double>(c.step_ms) * 1e-3;
    expect_all("class_report_s", c.class_report_s, n, "class", 0, 86400, "s between reports");
    for (std::size_t k = 0; k < n; ++k) {
        if (c.class_report_s[k] > 0)
            expect_within(element("class_report_s", k), c.class_report_s[k], step_s, 86400, "0, or s");
    }
    expect_all("flow_pps", c.flow_pps, flows, "class and direction", 0, 1e6, "arrivals a second");
    expect_all("flow_on_s", c.flow_on_s, flows, "class and direction", 1e-6, 1e9, "a mean on time in s");
    expect_all("flow_off_s", c.flow_off_s, flows, "class and direction", 0, 1e9, "a mean off time in s");
    expect_all("flow_arrival", c.flow_arrival, flows, "class and direction", 0, 2,
               "an arrival (0 Poisson, 1 constant, 2 on-off)");
    expect_all("flow_size", c.flow_size, flows, "class and direction", 0, 2,
               "a size law (0 fixed, 1 exponential, 2 IMIX)");
    expect_all("flow_bytes", c.flow_bytes, flows, "class and direction", 1, 1 << 28, "bytes");
    expect_all("flow_burst", c.flow_burst, flows, "class and direction", 1, 1 << 20, "packets an arrival");
    expect_all("flow_buffer", c.flow_buffer, flows, "class and direction", 1, 1 << 30, "packets that may wait");
}

void check_rules(const AccessConfig& c) {
    expect_within("step_ms", static_cast<double>(c.step_ms), 1, 10'000, "ms");
    expect_within("heard", static_cast<double>(c.heard), 1, 64, "cells");
    expect_within("measured", static_cast<double>(c.measured), 1, static_cast<double>(c.heard),
                  "cells, of those heard,");
    expect_within("masts", static_cast<double>(c.masts), 0, 1 << 20, "masts (0: all)");
    const std::pair<const char*, double> shares[] = {{"high_loss_share", c.high_loss_share},
                                                     {"alpha", c.alpha},
                                                     {"loss", c.loss},
                                                     {"efficiency_low", c.efficiency_low},
                                                     {"in_order_share", c.in_order_share},
                                                     {"unseen_share", c.unseen_share}};
    for (const auto& [name, value] : shares) expect_within(name, value, 0, 1, "a share");
    expect_within("efficiency_high", c.efficiency_high, c.efficiency_low, 1, "a share");
    const std::pair<const char*, double> sizes[] = {{"refresh_m", c.refresh_m},
                                                    {"interruption_ms", c.interruption_ms},
                                                    {"noise", c.noise},
                                                    {"reestablish_ms", c.reestablish_ms},
                                                    {"delay_low_s", c.delay_low_s},
                                                    {"sleep_after_ms", static_cast<double>(c.sleep_after_ms)},
                                                    {"clock_offset_s", c.clock_offset_s},
                                                    {"wake_ms", static_cast<double>(c.wake_ms)},
                                                    {"position_m", c.position_m},
                                                    {"level_db", c.level_db}};
    for (const auto& [name, value] : sizes) expect_within(name, value, 0, 1e6, "a number");
    expect_within("delay_high_s", c.delay_high_s, c.delay_low_s, 1e6, "s");
    expect_within("cell_report_s", c.cell_report_s, 0, 86400, "s");
    expect_within("user_noise_db", c.user_noise_db, 0, 30, "a noise figure in dB");
    expect_within("user_dbm", c.user_dbm, -50, 50, "a power in dBm");
    expect_within("p0_dbm", c.p0_dbm, -202, 24, "a power of a block in dBm");
    expect_within("hidden_loss_db", c.hidden_loss_db, 0, 30, "a deviation in dB");
    expect_within("hidden_azimuth", c.hidden_azimuth, 0, 90, "a deviation in degrees");
    expect_within("hidden_tilt", c.hidden_tilt, 0, 30, "a deviation in degrees");
}

}  // namespace

radio::Cell AccessConfig::cell(std::size_t c) const {
    radio::Cell cell;
    cell.x = cell_x[c];
    cell.y = cell_y[c];
    cell.height = cell_height[c];
    cell.ghz = cell_ghz[c];
    cell.bandwidth_hz = cell_bandwidth_hz[c];
    cell.power_dbm = cell_power_dbm[c];
    cell.environment = static_cast<radio::Environment>(cell_environment[c]);
    cell.sector.azimuth = cell_azimuth[c];
    cell.sector.tilt = cell_tilt[c];
    cell.sector.every_way = cell_every_way[c] != 0;
    if (cell.sector.every_way) cell.sector.peak = kEveryWayGain;
    cell.rows = cell_rows[c];
    cell.columns = cell_columns[c];
    cell.noise_figure_db = user_noise_db;
    cell.site = static_cast<std::int32_t>(cell_site[c]);
    return cell;
}

void AccessConfig::validate() const {
    check_rules(*this);
    check_cells(*this);
    check_zones(*this);
    check_classes(*this);
    check_users(*this);
}

}  // namespace tiertwin::plant
