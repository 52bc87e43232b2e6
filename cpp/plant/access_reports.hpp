// Telemetry of a radio access network: what users and cells report, late, lossy, noisy, by clocks that are off.
//
// A report is made at the end of a step: each sender has a period of whole steps and a phase in it, drawn. It is lost
// with probability `loss`, otherwise it arrives U(delay_low, delay_high) later. Levels carry N(0, level_db) dB, places
// N(0, position_m) m each way, rates and delays a factor 1 + noise * N(0, 1), not below 0.
//
// Costs      about 0.3 us a report.   Thread  one thread owns it.
#pragma once

#include <array>
#include <vector>

#include "plant/access_config.hpp"
#include "plant/chance.hpp"
#include "plant/telemetry.hpp"

namespace tiertwin::plant {

// cell, rsrp_dbm, cqi, down_mbps, up_mbps, x_m, y_m, latency_ms, lost
inline constexpr std::size_t kAccessUserAttributes = 9;
// prb_down, prb_up, power_w, energy_j, active_users, handovers, failures, asleep
inline constexpr std::size_t kAccessCellAttributes = 8;
using AccessUserRow = std::array<double, kAccessUserAttributes>;
using AccessCellRow = std::array<double, kAccessCellAttributes>;

class AccessReports {
  public:
    AccessReports(const AccessConfig& config, const Chance& chance);

    // Calls of_user(user, s of its period) and of_cell(cell) for all whose turn is at the end of step `step` (0, 1,
    // ...).
    template <typename OfUser, typename OfCell>
    void turns(std::int64_t step, OfUser of_user, OfCell of_cell) const {
        for (const Turns& turns : users_) {
            for (const std::uint32_t u : turns.at(step)) of_user(u, turns.seconds);
        }
        for (const std::uint32_t c : cells_.at(step)) of_cell(c);
    }

    void send_user(std::size_t user, std::int32_t site, Time now, std::int64_t step, AccessUserRow row);
    void send_cell(std::size_t cell, std::int32_t site, Time now, std::int64_t step, AccessCellRow row);

    [[nodiscard]] Batch<kAccessUserAttributes> take_users(Time until) {
        return take_arrived(from_users_, until, sites_);
    }
    [[nodiscard]] Batch<kAccessCellAttributes> take_cells(Time until) {
        return take_arrived(from_cells_, until, sites_);
    }
    [[nodiscard]] bool unseen(std::size_t user) const;

  private:
    struct Turns {  // senders of one period, by phase
        std::vector<std::vector<std::uint32_t>> phases;
        double seconds = 0.0;
        [[nodiscard]] const std::vector<std::uint32_t>& at(std::int64_t step) const {
            static const std::vector<std::uint32_t> nobody;
            return phases.empty() ? nobody : phases[static_cast<std::size_t>(step) % phases.size()];
        }
    };
    struct Fate {
        bool lost;
        Time delay;
    };
    [[nodiscard]] Turns period(double seconds) const;
    [[nodiscard]] PhiloxBlock user_words(std::size_t user) const;
    [[nodiscard]] Fate fate(const PhiloxBlock& words) const;
    [[nodiscard]] double blurred(double value, double normal) const;

    const AccessConfig& config_;
    Chance chance_;
    index_t sites_;
    std::vector<Turns> users_;  // by class
    Turns cells_;
    std::vector<Report<kAccessUserAttributes>> from_users_;
    std::vector<Report<kAccessCellAttributes>> from_cells_;
};

}  // namespace tiertwin::plant
