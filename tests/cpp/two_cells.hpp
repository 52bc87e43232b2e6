// Two cells that face each other, one a mast and site, in a zone of 1 km by 1 km; no users yet.
#pragma once

#include "plant/access_config.hpp"

namespace tiertwin::tests {

inline plant::AccessConfig two_cells(std::uint64_t seed) {
    plant::AccessConfig c;
    c.seed = seed;
    c.cell_x = {300, 700};
    c.cell_y = {500, 500};
    c.cell_height = {25, 25};
    c.cell_ghz = {4, 4};
    c.cell_bandwidth_hz = {10e6, 10e6};
    c.cell_power_dbm = {41, 41};
    c.cell_azimuth = {90, 270};
    c.cell_tilt = {6, 6};
    c.cell_noise_db = {5, 5};
    c.cell_idle_w = {130, 130};
    c.cell_slope = {4.7, 4.7};
    c.cell_sleep_w = {75, 75};
    c.cell_environment = c.cell_every_way = {0, 0};
    c.cell_rows = {4, 4};
    c.cell_columns = {8, 8};
    c.cell_site = {0, 1};
    c.cell_prbs = {52, 52};
    c.cell_chains = {2, 2};
    c.east = c.north = 1000;
    c.zone_x = c.zone_y = {0};
    c.zone_rules = {plant::MobilityRules{}};
    return c;
}

}  // namespace tiertwin::tests
