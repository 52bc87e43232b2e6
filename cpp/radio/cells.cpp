#include "radio/cells.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <tuple>

#include "base/error.hpp"

namespace tiertwin::radio {
namespace {

constexpr double kOnTheStreet = 1.5;  // m: the user of the ranking

double reach_of(Environment environment) { return environment == Environment::inh ? 150.0 : 5'000.0; }

void expect(bool good, std::size_t cell, const std::string& wanted, double came) {
    if (!good) {
        throw InvalidArgument("cell " + std::to_string(cell) + ": expected " + wanted + ", got " +
                              std::to_string(came));
    }
}

void check(const Cell& cell, std::size_t i) {
    expect(std::isfinite(cell.x), i, "a finite x", cell.x);
    expect(std::isfinite(cell.y), i, "a finite y", cell.y);
    expect(cell.height > 1.0 && std::isfinite(cell.height), i, "a height above 1 m", cell.height);
    expect(cell.bandwidth_hz > 0.0 && std::isfinite(cell.bandwidth_hz), i, "a bandwidth above 0 Hz", cell.bandwidth_hz);
    expect(std::isfinite(cell.power_dbm), i, "a finite power in dBm", cell.power_dbm);
    expect(cell.noise_figure_db >= 0.0 && std::isfinite(cell.noise_figure_db), i, "a noise figure of 0 dB or more",
           cell.noise_figure_db);
    expect(cell.site >= 0, i, "a site number of 0 or more", cell.site);
    try {
        check(cell.sector);
        static_cast<void>(array_gain(cell.rows, cell.columns, 0.0, 0.0));
        static_cast<void>(path_loss(cell.environment, {0.0, cell.height, kOnTheStreet}, cell.ghz, false));
    } catch (const InvalidArgument& error) {
        throw InvalidArgument("cell " + std::to_string(i) + ": " + error.what());
    }
}

}  // namespace

CellMap::CellMap(std::vector<Cell> cells) : cells_(std::move(cells)) {
    if (cells_.empty()) throw InvalidArgument("Expected at least one cell, got none");
    for (std::size_t i = 0; i < cells_.size(); ++i) check(cells_[i], i);
    number_carriers();
    raise_masts();
}

void CellMap::number_carriers() {
    std::map<double, std::size_t> first;  // the first cell of each carrier
    for (std::size_t i = 0; i < cells_.size(); ++i) {
        const auto [at, fresh] = first.emplace(cells_[i].ghz, i);
        if (!fresh && cells_[at->second].bandwidth_hz != cells_[i].bandwidth_hz) {
            throw InvalidArgument("cell " + std::to_string(i) + ": expected the bandwidth of cell " +
                                  std::to_string(at->second) + " on the same carrier (" +
                                  std::to_string(cells_[at->second].bandwidth_hz) + " Hz), got " +
                                  std::to_string(cells_[i].bandwidth_hz) + " Hz; give it a carrier of its own");
        }
    }
    for (const auto& [ghz, cell] : first) carrier_ghz_.push_back(ghz);
    for (const Cell& cell : cells_) {
        const auto at = std::lower_bound(carrier_ghz_.begin(), carrier_ghz_.end(), cell.ghz);
        carriers_.push_back(static_cast<std::int32_t>(at - carrier_ghz_.begin()));
    }
}

void CellMap::raise_masts() {
    std::map<std::tuple<std::int32_t, Environment, std::int32_t, double>, std::size_t> known;
    std::map<std::int32_t, std::size_t> places;  // the first cell of each site
    constexpr double far = std::numeric_limits<double>::infinity();
    bounds_ = {far, far, -far, -far};
    for (std::size_t i = 0; i < cells_.size(); ++i) {
        const Cell& cell = cells_[i];
        const Cell& first = cells_[places.emplace(cell.site, i).first->second];
        if (first.x != cell.x || first.y != cell.y) {
            throw InvalidArgument("cell " + std::to_string(i) + ": expected the place of the other cells of site " +
                                  std::to_string(cell.site) + ", got (" + std::to_string(cell.x) + ", " +
                                  std::to_string(cell.y) + "); give it a site of its own");
        }
        const auto [at, fresh] =
            known.emplace(std::tuple(cell.site, cell.environment, carriers_[i], cell.height), masts_.size());
        const double reach = reach_of(cell.environment);
        if (fresh) {
            masts_.push_back(
                {cell.x, cell.y, cell.height, cell.ghz, cell.environment, cell.site, carriers_[i], reach, -far, {}});
        }
        Mast& mast = masts_[at->second];
        mast.peak = std::max(mast.peak, cell.power_dbm + cell.sector.peak);
        mast.cells.push_back(static_cast<std::int32_t>(i));
        bounds_ = {std::min(bounds_.west, cell.x - reach), std::min(bounds_.south, cell.y - reach),
                   std::max(bounds_.east, cell.x + reach), std::max(bounds_.north, cell.y + reach)};
    }
}

double CellMap::strength(const Mast& mast, double distance) {
    return mast.peak - path_loss(mast.environment, {distance, mast.height, kOnTheStreet}, mast.ghz, false);
}

index_t CellMap::nearest_masts(double x, double y, std::int32_t carrier, std::span<std::int32_t> out) const {
    std::vector<std::pair<double, std::int32_t>> heard;
    for (std::size_t i = 0; i < masts_.size(); ++i) {
        const Mast& mast = masts_[i];
        if (carrier != kAnyCarrier && mast.carrier != carrier) continue;
        const double distance = std::hypot(x - mast.x, y - mast.y);
        if (distance > mast.reach) continue;
        heard.emplace_back(-strength(mast, distance), static_cast<std::int32_t>(i));
    }
    const std::size_t kept = std::min(out.size(), heard.size());
    std::partial_sort(heard.begin(), heard.begin() + static_cast<std::ptrdiff_t>(kept), heard.end());
    for (std::size_t i = 0; i < kept; ++i) out[i] = heard[i].second;
    return static_cast<index_t>(kept);
}

index_t CellMap::candidates(double x, double y, std::int32_t carrier, std::span<std::int32_t> out) const {
    std::vector<std::int32_t> masts(out.size());
    const index_t found = nearest_masts(x, y, carrier, masts);
    std::size_t filled = 0;
    for (index_t i = 0; i < found; ++i) {
        for (const std::int32_t cell : masts_[static_cast<std::size_t>(masts[static_cast<std::size_t>(i)])].cells) {
            if (filled < out.size()) out[filled++] = cell;
        }
    }
    return static_cast<index_t>(filled);
}

}  // namespace tiertwin::radio
