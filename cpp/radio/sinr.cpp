#include "radio/sinr.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "base/error.hpp"
#include "radio/decibel.hpp"
#include "radio/refuse.hpp"

namespace tiertwin::radio {
namespace {

constexpr double kMostGain = 1000.0;  // dB: a ratio that a double can hold, with power and beam on top
constexpr std::size_t kChunk = 1024;  // users at a time: what they need stays in the cache
constexpr double kNone = -std::numeric_limits<double>::infinity();

[[noreturn]] void refuse_sizes(std::size_t users, std::size_t gains, std::size_t cells, std::size_t beams) {
    throw InvalidArgument("Expected gains and cells of one size, a row a user, and no or one beam a user, got " +
                          std::to_string(gains) + ", " + std::to_string(cells) + " and " + std::to_string(beams) +
                          " of " + std::to_string(users) + " users");
}

}  // namespace

Links::Links(const CellMap& map, std::span<const double> gains, std::span<const std::int32_t> cells,
             std::span<const std::int32_t> serving, std::span<const double> beam_db, std::size_t first_user)
    : cells_(map.size()), first_user_(first_user) {
    const std::size_t users = serving.size();
    const std::size_t slots = users == 0 ? 0 : gains.size() / users;
    if (gains.size() != users * slots || cells.size() != gains.size() ||
        (!beam_db.empty() && beam_db.size() != users)) {
        refuse_sizes(users, gains.size(), cells.size(), beam_db.size());
    }
    first_.assign(1, 0);
    first_.reserve(users + 1);
    power_.resize(gains.size());
    from_.resize(gains.size());
    signal_.assign(users, 0.0);
    noise_.assign(users, 0.0);
    bandwidth_.assign(users, 0.0);
    serving_.assign(users, -1);
    for (std::size_t u = 0; u < users; ++u) {
        const index_t heard = add(map, u, gains.subspan(u * slots, slots), cells.subspan(u * slots, slots), serving[u],
                                  beam_db.empty() ? 0.0 : beam_db[u]);
        first_.push_back(first_.back() + heard);
    }
    power_.resize(static_cast<std::size_t>(first_.back()));
    from_.resize(power_.size());
    from_db(power_);
    from_db(signal_);
    from_db(noise_);
    for (std::size_t u = 0; u < users; ++u) {
        if (serving_[u] < 0) signal_[u] = 0.0;
    }
}

// Checks a user's row and writes it in dBm behind what is there; returns how many disturb.
index_t Links::add(const CellMap& map, std::size_t user, std::span<const double> gains,
                   std::span<const std::int32_t> cells, std::int32_t serving, double beam_db) {
    const auto count = static_cast<std::int32_t>(map.size());
    if (serving < -1 || serving >= static_cast<std::int32_t>(cells.size())) {
        refuse(first_user_ + user,
               "a serving slot of -1 (none) to " + std::to_string(static_cast<index_t>(cells.size()) - 1),
               std::to_string(serving));
    }
    const std::int32_t own = serving < 0 ? -1 : cells[static_cast<std::size_t>(serving)];
    if (serving >= 0 && own == -1)
        refuse(first_user_ + user, "a serving slot that holds a cell", "slot " + std::to_string(serving));
    if (!(std::abs(beam_db) <= kMostGain)) {
        refuse(first_user_ + user, "a gain of the beam of -1000 to 1000 dB", std::to_string(beam_db));
    }
    const std::int32_t carrier = own < 0 || own >= count ? -1 : map.carriers()[static_cast<std::size_t>(own)];
    const std::span<const double> powers = map.power_dbm();
    std::size_t next = static_cast<std::size_t>(first_.back());
    const std::size_t begin = next;
    for (std::size_t s = 0; s < cells.size(); ++s) {
        const std::int32_t id = cells[s];
        if (id == -1) continue;
        if (id < 0 || id >= count) {
            refuse(first_user_ + user, "cells of -1 (none) to " + std::to_string(count - 1), std::to_string(id));
        }
        if (!(std::abs(gains[s]) <= kMostGain))
            refuse(first_user_ + user, "gains of -1000 to 1000 dB", std::to_string(gains[s]));
        const auto cell = static_cast<std::size_t>(id);
        if (map.carriers()[cell] != carrier || static_cast<std::int32_t>(s) == serving) continue;
        if (id == own) refuse(first_user_ + user, "each cell once", "cell " + std::to_string(own) + " twice");
        power_[next] = powers[cell] + gains[s];
        from_[next++] = id;
    }
    if (own < 0) return 0;
    serving_[user] = own;
    const auto cell = static_cast<std::size_t>(own);
    bandwidth_[user] = map.cells()[cell].bandwidth_hz;
    noise_[user] = map.noise_dbm()[cell];
    signal_[user] = powers[cell] + gains[static_cast<std::size_t>(serving)] + beam_db;
    return static_cast<index_t>(next - begin);
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
    const std::size_t users = serving.size(), slots = users == 0 ? 0 : gains.size() / users;
    if (gains.size() != users * slots || cells.size() != gains.size() || out.size() != users ||
        (!beam_db.empty() && beam_db.size() != users)) {
        refuse_sizes(users, gains.size(), cells.size(), beam_db.size());
    }
    for (std::size_t first = 0; first < users; first += kChunk) {
        const std::size_t count = std::min(kChunk, users - first);
        const Links some(map, gains.subspan(first * slots, count * slots), cells.subspan(first * slots, count * slots),
                         serving.subspan(first, count), beam_db.empty() ? beam_db : beam_db.subspan(first, count),
                         first);
        some.sinr(load, out.subspan(first, count));
    }
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
    const double ratio = from_db(std::clamp(sinr_db, -kMostGain, kMostGain));
    return sinr_db == kNone ? 0.0 : bandwidth_hz * std::min(rules.efficiency * std::log2(1.0 + ratio), rules.cap);
}

}  // namespace tiertwin::radio
