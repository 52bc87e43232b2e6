#include "radio/cells.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <utility>

#include "base/error.hpp"

namespace tiertwin::radio {
namespace {

constexpr double kOnTheStreet = 1.5;  // m: the user of the ranking
constexpr double kNoSignal = -std::numeric_limits<double>::infinity();
constexpr double kFarthest = 1e7;    // m
constexpr double kThermal = -174.0;  // dBm/Hz
constexpr double kCellSlack = 1e-9;  // dB: more than rounding can hide

double reach_of(Environment environment) { return environment == Environment::inh ? 150.0 : 5'000.0; }

void expect(bool good, std::size_t cell, const std::string& wanted, double came) {
    if (!good) {
        throw InvalidArgument("cell " + std::to_string(cell) + ": expected " + wanted + ", got " +
                              std::to_string(came));
    }
}

void check(const Cell& cell, std::size_t i) {
    expect(std::abs(cell.x) <= kFarthest, i, "an x of -1e7 to 1e7 m", cell.x);
    expect(std::abs(cell.y) <= kFarthest, i, "a y of -1e7 to 1e7 m", cell.y);
    expect(cell.height > 1.0 && std::isfinite(cell.height), i, "a height above 1 m", cell.height);
    expect(cell.bandwidth_hz > 0.0 && cell.bandwidth_hz <= 1e12, i, "a bandwidth above 0 Hz (to 1 THz)",
           cell.bandwidth_hz);
    expect(std::abs(cell.power_dbm) <= 300.0, i, "a power of -300 to 300 dBm", cell.power_dbm);
    expect(cell.noise_figure_db >= 0.0 && cell.noise_figure_db <= 100.0, i, "a noise figure of 0 to 100 dB",
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
    for (const Cell& cell : cells_) {
        power_dbm_.push_back(cell.power_dbm);
        noise_dbm_.push_back(kThermal + 10.0 * std::log10(cell.bandwidth_hz) + cell.noise_figure_db);
    }
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

std::string words(const CellMap::Box& box) {
    return "x in " + std::to_string(box.west) + " to " + std::to_string(box.east) + " m, y in " +
           std::to_string(box.south) + " to " + std::to_string(box.north) + " m";
}

void CellMap::expect_carrier(std::int32_t carrier) const {
    const auto count = static_cast<std::int32_t>(carrier_ghz_.size());
    if (carrier != kAnyCarrier && (carrier < 0 || carrier >= count)) {
        throw InvalidArgument("Expected a carrier of 0 to " + std::to_string(count - 1) + ", or -1 for all, got " +
                              std::to_string(carrier));
    }
}

std::int32_t CellMap::kind_of(const Cell& cell, std::int32_t carrier) {
    const auto same = [&](const Kind& kind) {
        return kind.environment == cell.environment && kind.carrier == carrier && kind.height == cell.height;
    };
    const auto at = std::find_if(kinds_.begin(), kinds_.end(), same);
    const auto number = static_cast<std::int32_t>(at - kinds_.begin());
    if (at == kinds_.end()) {
        const LossLaw street(cell.environment, cell.ghz, cell.height, kOnTheStreet);
        const double reach = reach_of(cell.environment);
        kinds_.push_back({cell.environment, cell.ghz, cell.height, carrier, reach, kNoSignal, street});
        farthest_ = std::max(farthest_, reach);
    }
    Kind& kind = kinds_[static_cast<std::size_t>(number)];
    kind.peak = std::max(kind.peak, cell.power_dbm + cell.sector.peak);
    return number;
}

void CellMap::raise_masts() {
    std::map<std::pair<std::int32_t, std::int32_t>, std::size_t> known;  // (site, kind)
    std::map<std::int32_t, std::size_t> places;                          // the first cell of each site
    bounds_ = {-kNoSignal, -kNoSignal, kNoSignal, kNoSignal};
    for (std::size_t i = 0; i < cells_.size(); ++i) {
        const Cell& cell = cells_[i];
        const Cell& first = cells_[places.emplace(cell.site, i).first->second];
        if (first.x != cell.x || first.y != cell.y) {
            throw InvalidArgument("cell " + std::to_string(i) + ": expected the place of the other cells of site " +
                                  std::to_string(cell.site) + ", got " + std::to_string(cell.x) + ", " +
                                  std::to_string(cell.y) + "; give it a site of its own");
        }
        const std::int32_t kind = kind_of(cell, carriers_[i]);
        const auto [at, fresh] = known.emplace(std::pair(cell.site, kind), masts_.size());
        if (fresh) masts_.push_back({cell.x, cell.y, cell.site, kind, kNoSignal, {}});
        Mast& mast = masts_[at->second];
        mast.peak = std::max(mast.peak, cell.power_dbm + cell.sector.peak);
        mast.cells.push_back(static_cast<std::int32_t>(i));
        const double reach = reach_of(cell.environment);
        bounds_ = {std::min(bounds_.west, cell.x - reach), std::min(bounds_.south, cell.y - reach),
                   std::max(bounds_.east, cell.x + reach), std::max(bounds_.north, cell.y + reach)};
    }
    std::vector<double> x, y;
    for (const Mast& mast : masts_) {
        x.push_back(mast.x);
        y.push_back(mast.y);
    }
    grid_ = MastGrid(x, y);
}

// The strongest of the masts seen so far, at most so many: a heap whose front is the weakest.
class CellMap::Best {
  public:
    explicit Best(std::size_t most) : most_(most) {}

    [[nodiscard]] double least() const { return kept_.size() < most_ ? kNoSignal : -kept_.front().first; }
    void take(double strength, std::int32_t mast) {
        const std::pair<double, std::int32_t> one(-strength, mast);
        if (kept_.size() == most_) {
            if (!(one < kept_.front())) return;
            std::pop_heap(kept_.begin(), kept_.end());
            kept_.back() = one;
        } else {
            kept_.push_back(one);
        }
        std::push_heap(kept_.begin(), kept_.end());
    }
    index_t write(std::span<std::int32_t> out) {
        std::sort_heap(kept_.begin(), kept_.end());
        for (std::size_t i = 0; i < kept_.size(); ++i) out[i] = kept_[i].second;
        return static_cast<index_t>(kept_.size());
    }

  private:
    std::size_t most_;
    std::vector<std::pair<double, std::int32_t>> kept_;  // (-strength, mast)
};

// Which kinds of this carrier have masts that can be as strong as this at this distance or farther; false: none has.
bool CellMap::open_beyond(double distance, std::int32_t carrier, double strength, std::span<char> open) const {
    bool any = false;
    for (std::size_t k = 0; k < kinds_.size(); ++k) {
        const Kind& kind = kinds_[k];
        const bool can = (carrier == kAnyCarrier || kind.carrier == carrier) && distance <= kind.reach &&
                         kind.peak - kind.street.at(distance).hidden >= strength - kCellSlack;
        open[k] = can ? 1 : 0;
        any = any || can;
    }
    return any;
}

index_t CellMap::nearest_masts(double x, double y, std::int32_t carrier, std::span<std::int32_t> out) const {
    if (!bounds_.holds(x, y)) {
        throw InvalidArgument("Expected a place on the map (" + words(bounds_) + "), got " + std::to_string(x) + ", " +
                              std::to_string(y));
    }
    expect_carrier(carrier);
    if (out.empty()) return 0;
    Best best(out.size());
    const MastGrid::Square from = grid_.square_of(x, y);
    const index_t last = grid_.last_ring(from);
    std::vector<char> open(kinds_.size());  // of a dense and a far-reaching kind, the dense one closes rings earlier
    for (index_t ring = 0; ring <= last; ++ring) {
        if (!open_beyond(grid_.least_distance(ring), carrier, best.least(), open)) break;
        grid_.visit(from, ring, [&](std::int32_t i) {
            const Mast& mast = masts_[static_cast<std::size_t>(i)];
            if (open[static_cast<std::size_t>(mast.kind)] == 0) return;
            const Kind& kind = kinds_[static_cast<std::size_t>(mast.kind)];
            const double distance = std::hypot(x - mast.x, y - mast.y);
            if (distance <= kind.reach) best.take(mast.peak - kind.street.at(distance).hidden, i);
        });
    }
    return best.write(out);
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
