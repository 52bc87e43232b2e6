#include "plant/access_rates.hpp"

#include <cmath>

#include "radio/antenna.hpp"
#include "radio/sinr.hpp"

namespace tiertwin::plant {
namespace {

constexpr double kThermal = -174.0;  // dBm/Hz
constexpr double kBlockHz = 180e3;

double linear(double db) { return std::pow(10.0, 0.1 * db); }

}  // namespace

AccessRates::AccessRates(const AccessConfig& config, const std::vector<CellSecret>& secrets, const AccessLinks& links,
                         const AccessCrowd& crowd)
    : links_(links),
      crowd_(crowd),
      p0_mw_(linear(config.p0_dbm)),
      alpha_(config.alpha),
      most_mw_(linear(config.user_dbm)),
      carrier_(links.map().carriers().begin(), links.map().carriers().end()),
      load_down_(config.cells(), 0.0),
      disturbed_up_(config.cells(), 0.0) {
    for (std::size_t c = 0; c < config.cells(); ++c) {
        planned_mw_.push_back(linear(config.cell_power_dbm[c]));
        noise_down_.push_back(linear(kThermal + config.user_noise_db) * config.cell_bandwidth_hz[c]);
        noise_up_.push_back(linear(kThermal + config.cell_noise_db[c]) * kBlockHz);
        beam_.push_back(linear(
            radio::array_gain(config.cell_rows[c], config.cell_columns[c], secrets[c].azimuth, secrets[c].tilt)));
        efficiency_.push_back(secrets[c].efficiency);
        prbs_.push_back(static_cast<std::uint32_t>(config.cell_prbs[c]));
    }
}

double AccessRates::sinr_down(std::size_t user) const {
    const int slot = crowd_.slot(user);
    if (slot < 0) return 0.0;
    const auto cells = links_.cells(user);
    const auto received = links_.received(user);
    const auto own = static_cast<std::size_t>(cells[static_cast<std::size_t>(slot)]);
    if (crowd_.down(own)) return 0.0;
    double disturbed = noise_down_[own];
    for (std::size_t s = 0; s < cells.size() && cells[s] >= 0; ++s) {
        const auto other = static_cast<std::size_t>(cells[s]);
        if (other == own || carrier_[other] != carrier_[own]) continue;
        disturbed += load_down_[other] * static_cast<double>(received[s]);
    }
    return static_cast<double>(received[static_cast<std::size_t>(slot)]) * beam_[own] / disturbed;
}

AccessRates::Power AccessRates::power_up(double gain) const {
    const double wanted = p0_mw_ * std::pow(gain, -alpha_);
    if (wanted >= most_mw_) return {most_mw_, 1};
    return {wanted, static_cast<std::uint32_t>(std::min(most_mw_ / wanted, 1e6))};
}

double AccessRates::sinr_up(std::size_t user) const {
    const int slot = crowd_.slot(user);
    if (slot < 0) return 0.0;
    const auto own = static_cast<std::size_t>(crowd_.serving(user));
    if (crowd_.down(own)) return 0.0;
    const double there = gain(user, static_cast<std::size_t>(slot), own);
    return power_up(there).block * there * beam_[own] / (noise_up_[own] + disturbed_up_[own]);
}

PrbRate AccessRates::up(std::size_t user) const {
    const int slot = crowd_.slot(user);
    if (slot < 0) return {};
    const auto own = static_cast<std::size_t>(crowd_.serving(user));
    if (crowd_.down(own)) return {};
    const double there = gain(user, static_cast<std::size_t>(slot), own);
    const Power power = power_up(there);
    return rate(user, power.block * there * beam_[own] / (noise_up_[own] + disturbed_up_[own]), power.most);
}

PrbRate AccessRates::rate(std::size_t user, double sinr, std::uint32_t most) const {
    if (!(sinr >= kLeastSinr)) return {};
    const auto own = static_cast<std::size_t>(crowd_.serving(user));
    const double each = std::min(efficiency_[own] * std::log2(1.0 + sinr), radio::RateRules{}.cap);
    return {static_cast<std::uint32_t>(kSymbolsASlot * each), std::min(most, prbs_[own])};
}

void AccessRates::disturb_up(std::size_t user, double share) {
    const int slot = crowd_.slot(user);
    if (slot < 0) return;
    const auto cells = links_.cells(user);
    const auto own = static_cast<std::size_t>(crowd_.serving(user));
    const double power = share * power_up(gain(user, static_cast<std::size_t>(slot), own)).block;
    for (std::size_t s = 0; s < cells.size() && cells[s] >= 0; ++s) {
        const auto other = static_cast<std::size_t>(cells[s]);
        if (other == own || carrier_[other] != carrier_[own]) continue;
        disturbed_up_[other] += power * gain(user, s, other);
    }
}

}  // namespace tiertwin::plant
