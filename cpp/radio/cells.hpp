// The cells of a map, and those whose signal may reach a place.
//
//   mast      cells of one site with the same environment, carrier and height: they share distance, sight and losses
//   kind      what masts have in common that lose alike: environment, carrier and height
//   carrier   cells of the same centre frequency; they disturb each other and have one bandwidth
//   strength  of a mast at a place, for ranking: max over its cells (power + peak) - median loss not in sight at 1.5 m
//   bounds    the smallest rectangle around every mast's square of reach: uma, umi and rma 5 km, inh 150 m
//
// Units      m, GHz, Hz, dBm, dB; x east, y north.
// Costs      a search looks at the rings of grid squares around the place until no farther mast can be stronger.
// Range      what propagation.hpp and antenna.hpp take; cells of one site stand at one place. InvalidArgument names
//            the cell.
// Thread safety  immutable once built; shared freely between threads.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/types.hpp"
#include "radio/antenna.hpp"
#include "radio/loss_law.hpp"
#include "radio/mast_grid.hpp"
#include "radio/propagation.hpp"

namespace tiertwin::radio {

struct Cell {
    double x = 0.0, y = 0.0, height = 25.0;
    double ghz = 3.5, bandwidth_hz = 20e6, power_dbm = 43.0;  // power: of all the bandwidth
    Environment environment = Environment::uma;
    Sector sector;
    index_t rows = 1, columns = 1;  // elements of the array: the beam towards a served user (array_gain)
    double noise_figure_db = 7.0;   // of the users' receivers
    std::int32_t site = 0;
};

inline constexpr std::int32_t kAnyCarrier = -1;

class CellMap {
  public:
    // What masts have in common that lose alike.
    struct Kind {
        Environment environment = Environment::uma;
        double ghz = 0.0, height = 0.0;
        std::int32_t carrier = 0;
        double reach = 0.0;  // m
        double peak = 0.0;   // dBm: the largest of its masts
        LossLaw street;      // towards a user at 1.5 m
    };
    struct Mast {
        double x = 0.0, y = 0.0;
        std::int32_t site = 0, kind = 0;
        double peak = 0.0;                // dBm: the largest power + sector peak of its cells
        std::vector<std::int32_t> cells;  // ascending
    };
    struct Box {
        double west = 0.0, south = 0.0, east = 0.0, north = 0.0;
        [[nodiscard]] bool holds(double x, double y) const {
            return x >= west && x <= east && y >= south && y <= north;
        }
    };

    // InvalidArgument names the cell that cannot be; no cell at all is one too.
    explicit CellMap(std::vector<Cell> cells);

    [[nodiscard]] index_t size() const { return static_cast<index_t>(cells_.size()); }
    [[nodiscard]] std::span<const Cell> cells() const { return cells_; }
    [[nodiscard]] std::span<const Kind> kinds() const { return kinds_; }
    [[nodiscard]] std::span<const Mast> masts() const { return masts_; }
    [[nodiscard]] const MastGrid& grid() const { return grid_; }  // of the masts, by number
    [[nodiscard]] double farthest_reach() const { return farthest_; }
    [[nodiscard]] std::span<const std::int32_t> carriers() const { return carriers_; }  // [cells], 0 ...
    [[nodiscard]] std::span<const double> carrier_ghz() const { return carrier_ghz_; }  // [carriers], ascending
    [[nodiscard]] std::span<const double> power_dbm() const { return power_dbm_; }      // [cells]
    [[nodiscard]] std::span<const double> noise_dbm() const { return noise_dbm_; }      // [cells]: of all the bandwidth
    [[nodiscard]] const Box& bounds() const { return bounds_; }

    // The up to out.size() masts within reach of (x, y) that are strongest, strongest first, of equals the lowest;
    // `carrier` kAnyCarrier: of all. Returns how many.
    index_t nearest_masts(double x, double y, std::int32_t carrier, std::span<std::int32_t> out) const;

    // The same in cells: whole masts, strongest first, their cells ascending; the last mast may be cut.
    index_t candidates(double x, double y, std::int32_t carrier, std::span<std::int32_t> out) const;

    void expect_carrier(std::int32_t carrier) const;  // InvalidArgument, unless there is one or it is kAnyCarrier

  private:
    class Best;

    bool open_beyond(double distance, std::int32_t carrier, double strength, std::span<char> open) const;
    void number_carriers();
    void raise_masts();
    [[nodiscard]] std::int32_t kind_of(const Cell& cell, std::int32_t carrier);

    std::vector<Cell> cells_;
    std::vector<Kind> kinds_;
    std::vector<Mast> masts_;
    MastGrid grid_;
    double farthest_ = 0.0;
    std::vector<std::int32_t> carriers_;
    std::vector<double> carrier_ghz_, power_dbm_, noise_dbm_;
    Box bounds_;
};

[[nodiscard]] std::string words(const CellMap::Box& box);  // for messages

}  // namespace tiertwin::radio
