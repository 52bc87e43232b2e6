// What of a radio access network nobody is told: how its cells differ from the plan, and who never reports.
//
//   loss        N(0, deviation) dB more or less on every link of a cell
//   antenna     azimuth and tilt off by N(0, deviation) degrees; the beam misses by as much
//   efficiency  of Shannon's rate, uniform between two bounds, by cell
//   law         serving in turn or in order (access_air.hpp), by cell
//   unseen      users that send and receive but never report
//
// All of it is a function of the seed and the cell's or user's number. The figures are ours.
// Thread safety  immutable once drawn.
#pragma once

#include <cstdint>
#include <vector>

#include "plant/access_config.hpp"
#include "plant/chance.hpp"

namespace tiertwin::plant {

struct CellSecret {
    double loss_db = 0.0, azimuth = 0.0, tilt = 0.0;  // what is added to the plan
    double efficiency = 0.7;
    bool in_order = false;
};

[[nodiscard]] std::vector<CellSecret> draw_secrets(const AccessConfig& config, const Chance& chance);

// The cells as they stand: the plan with its hidden errors. A loss lowers the power, so that ranking knows it.
[[nodiscard]] std::vector<radio::Cell> true_cells(const AccessConfig& config, const std::vector<CellSecret>& secrets);

}  // namespace tiertwin::plant
