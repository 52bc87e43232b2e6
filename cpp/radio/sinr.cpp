#include "radio/sinr.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>

#include "base/error.hpp"

namespace tiertwin::radio {
namespace {

constexpr double kThermal = -174.0;                       // dBm/Hz
constexpr double kOctavesADecibel = 0.33219280948873623;  // log2(10) / 10
constexpr double kNone = -std::numeric_limits<double>::infinity();

double linear(double db) { return std::exp2(db * kOctavesADecibel); }

[[noreturn]] void refuse(std::size_t user, const std::string& wanted, const std::string& came) {
    throw InvalidArgument("user " + std::to_string(user) + ": expected " + wanted + ", got " + came);
}

}  // namespace

Links::Links(const CellMap& map, std::span<const double> gains, std::span<const std::int32_t> cells,
             std::span<const std::int32_t> serving, std::span<const double> beam_db)
    : cells_(map.size()) {
    const std::size_t users = serving.size();
    const std::size_t slots = users == 0 ? 0 : gains.size() / users;
    if (gains.size() != users * slots || cells.size() != gains.size() ||
        (!beam_db.empty() && beam_db.size() != users)) {
        throw InvalidArgument("Expected gains and cells of one size, a row a user, got " +
                              std::to_string(gains.size()) + " and " + std::to_string(cells.size()) + " of " +
                              std::to_string(users) + " users");
    }
    first_.reserve(users + 1);
    first_.push_back(0);
    power_.reserve(gains.size());
    from_.reserve(gains.size());
    signal_.assign(users, 0.0);
    noise_.assign(users, 1.0);
    bandwidth_.assign(users, 0.0);
    serving_.assign(users, -1);
    for (std::size_t u = 0; u < users; ++u) {
        add(map, u, gains.subspan(u * slots, slots), cells.subspan(u * slots, slots), serving[u],
            beam_db.empty() ? 0.0 : beam_db[u]);
        first_.push_back(static_cast<index_t>(power_.size()));
    }
}

void Links::add(const CellMap& map, std::size_t user, std::span<const double> gains,
                std::span<const std::int32_t> cells, std::int32_t serving, double beam_db) {
    if (serving < -1 || serving >= static_cast<std::int32_t>(cells.size())) {
        refuse(user, "a serving slot of -1 (none) to " + std::to_string(static_cast<index_t>(cells.size()) - 1),
               std::to_string(serving));
    }
    for (std::size_t s = 0; s < cells.size(); ++s) {
        if (cells[s] < -1 || cells[s] >= map.size()) {
            refuse(user, "cells of -1 (none) to " + std::to_string(map.size() - 1), std::to_string(cells[s]));
        }
        if (cells[s] >= 0 && !std::isfinite(gains[s])) refuse(user, "finite gains", std::to_string(gains[s]));
    }
    if (serving < 0) return;
    const std::int32_t own = cells[static_cast<std::size_t>(serving)];
    if (own < 0) refuse(user, "a serving slot that holds a cell", "slot " + std::to_string(serving));
    if (!std::isfinite(beam_db)) refuse(user, "a finite gain of the beam", std::to_string(beam_db));
    const Cell& cell = map.cells()[static_cast<std::size_t>(own)];
    const std::int32_t carrier = map.carriers()[static_cast<std::size_t>(own)];
    serving_[user] = own;
    bandwidth_[user] = cell.bandwidth_hz;
    noise_[user] = linear(kThermal + 10.0 * std::log10(cell.bandwidth_hz) + cell.noise_figure_db);
    signal_[user] = linear(cell.power_dbm + gains[static_cast<std::size_t>(serving)] + beam_db);
    for (std::size_t s = 0; s < cells.size(); ++s) {
        if (cells[s] < 0 || s == static_cast<std::size_t>(serving)) continue;
        if (cells[s] == own) refuse(user, "each cell once", "cell " + std::to_string(own) + " twice");
        if (map.carriers()[static_cast<std::size_t>(cells[s])] != carrier) continue;
        power_.push_back(linear(map.cells()[static_cast<std::size_t>(cells[s])].power_dbm + gains[s]));
        from_.push_back(cells[s]);
    }
}

void Links::ratio(std::span<const double> load, std::span<double> out) const {
    if (static_cast<index_t>(load.size()) != cells_ || static_cast<index_t>(out.size()) != users()) {
        throw InvalidArgument("Expected a load of each of " + std::to_string(cells_) + " cells, got " +
                              std::to_string(load.size()));
    }
    for (std::size_t c = 0; c < load.size(); ++c) {
        if (!(load[c] >= 0.0 && load[c] <= 1.0)) {
            throw InvalidArgument("cell " + std::to_string(c) + ": expected a load of 0 to 1, got " +
                                  std::to_string(load[c]));
        }
    }
    for (std::size_t u = 0; u < signal_.size(); ++u) {
        double disturbed = noise_[u];
        const auto end = static_cast<std::size_t>(first_[u + 1]);
        for (auto i = static_cast<std::size_t>(first_[u]); i < end; ++i) {
            disturbed += load[static_cast<std::size_t>(from_[i])] * power_[i];
        }
        out[u] = signal_[u] / disturbed;
    }
}

void Links::sinr(std::span<const double> load, std::span<double> out) const {
    ratio(load, out);
    for (double& value : out) value = value > 0.0 ? 10.0 * std::log10(value) : kNone;
}

void serving_beams(const CellMap& map, std::span<const std::int32_t> cells, std::span<const double> azimuth_error,
                   std::span<const double> elevation_error, std::span<double> out) {
    if (azimuth_error.size() != cells.size() || elevation_error.size() != cells.size() || out.size() != cells.size()) {
        throw InvalidArgument("Expected the errors of " + std::to_string(cells.size()) + " beams, got " +
                              std::to_string(azimuth_error.size()) + " and " + std::to_string(elevation_error.size()));
    }
    for (std::size_t u = 0; u < cells.size(); ++u) {
        out[u] = 0.0;
        if (cells[u] == -1) continue;
        if (cells[u] < 0 || cells[u] >= map.size()) {
            refuse(u, "a cell of -1 (none) to " + std::to_string(map.size() - 1), std::to_string(cells[u]));
        }
        const Cell& cell = map.cells()[static_cast<std::size_t>(cells[u])];
        try {
            out[u] = array_gain(cell.rows, cell.columns, azimuth_error[u], elevation_error[u]);
        } catch (const InvalidArgument& error) {
            throw InvalidArgument("user " + std::to_string(u) + ": " + error.what());
        }
    }
}

void sinr(const CellMap& map, std::span<const double> gains, std::span<const std::int32_t> cells,
          std::span<const std::int32_t> serving, std::span<const double> beam_db, std::span<const double> load,
          std::span<double> out) {
    Links(map, gains, cells, serving, beam_db).sinr(load, out);
}

void check(const RateRules& rules) {
    if (!(rules.efficiency > 0.0 && rules.efficiency <= 1.0)) {
        throw InvalidArgument("Expected an efficiency above 0 and at most 1, got " + std::to_string(rules.efficiency));
    }
    if (!(rules.cap > 0.0 && std::isfinite(rules.cap))) {
        throw InvalidArgument("Expected a cap above 0 bit/s/Hz, got " + std::to_string(rules.cap));
    }
}

double rate_of(double sinr_db, double bandwidth_hz, const RateRules& rules) {
    if (std::isnan(sinr_db)) throw InvalidArgument("Expected an SINR in dB, got nan");
    if (!(bandwidth_hz >= 0.0 && std::isfinite(bandwidth_hz))) {
        throw InvalidArgument("Expected a bandwidth of 0 Hz or more, got " + std::to_string(bandwidth_hz));
    }
    return bandwidth_hz * std::min(rules.efficiency * std::log2(1.0 + linear(sinr_db)), rules.cap);
}

}  // namespace tiertwin::radio
