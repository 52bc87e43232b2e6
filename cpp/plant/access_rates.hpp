// How well a user is heard and hears, under the loads of the step before.
//
//   down  SINR = P_s g_s b / (sum over other cells c of the carrier of load_c P_c g_c + N)
//   up    SINR = p g_s b / (I_s + N), for a resource block;  p = min(Pmax, P0 - alpha g_s in dB) TS 38.213 7.1.1
//         I_s = sum over users u of other cells of the carrier of (share of blocks used) p_u g_us
//         so many blocks as the power lasts for, at least one
//   bits of a block and slot = 180 * min(eta log2(1 + SINR), 7.4), whole; 0 below -10 dB              TR 36.942 annex
//   A.2
//
// b: gain of the serving cell's array, both ways, with the antenna's hidden error; eta: the cell's, hidden. Disturbers
// are those among the cells a user hears (AccessConfig::heard).
//
// Units      mW, dB; loads in [0, 1].   Costs: about 50 ns a direction.
// Thread     one thread owns it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "plant/access_config.hpp"
#include "plant/access_crowd.hpp"
#include "plant/access_links.hpp"
#include "plant/access_secrets.hpp"

namespace tiertwin::plant {

inline constexpr double kLeastSinr = 0.1;       // -10 dB
inline constexpr double kSymbolsASlot = 180.0;  // Hz s: a block of 180 kHz for 1 ms

struct PrbRate {
    std::uint32_t bits = 0;  // of a block and slot
    std::uint32_t most = 0;  // blocks in a slot
};

class AccessRates {
  public:
    AccessRates(const AccessConfig& config, const std::vector<CellSecret>& secrets, const AccessLinks& links,
                const AccessCrowd& crowd);

    [[nodiscard]] double sinr_down(std::size_t user) const;  // linear; 0 without a serving cell
    [[nodiscard]] double sinr_up(std::size_t user) const;    // of a block
    [[nodiscard]] PrbRate down(std::size_t user) const { return rate(user, sinr_down(user), 0xffff'ffff); }
    [[nodiscard]] PrbRate up(std::size_t user) const;

    // After a step: the share of its blocks that each cell used down, and who used what share up.
    void set_load_down(std::size_t cell, double share) { load_down_[cell] = share; }
    void clear_up() { std::fill(disturbed_up_.begin(), disturbed_up_.end(), 0.0); }
    void disturb_up(std::size_t user, double share);

    [[nodiscard]] std::span<const double> load_down() const { return load_down_; }
    [[nodiscard]] std::span<const double> disturbed_up() const { return disturbed_up_; }  // mW a block, by cell

  private:
    struct Power {
        double block;  // mW
        std::uint32_t most;
    };
    [[nodiscard]] PrbRate rate(std::size_t user, double sinr, std::uint32_t most) const;
    [[nodiscard]] Power power_up(double gain) const;
    [[nodiscard]] double gain(std::size_t user, std::size_t slot, std::size_t cell) const {
        return static_cast<double>(links_.received(user)[slot]) / planned_mw_[cell];
    }

    const AccessLinks& links_;
    const AccessCrowd& crowd_;
    double p0_mw_, alpha_, most_mw_;
    std::vector<std::int32_t> carrier_;
    std::vector<double> planned_mw_, noise_down_, noise_up_, beam_, efficiency_;  // by cell; noise in mW
    std::vector<std::uint32_t> prbs_;
    std::vector<double> load_down_, disturbed_up_;
};

}  // namespace tiertwin::plant
