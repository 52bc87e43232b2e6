// The cells of a map, and those whose signal reaches a place.
//
//   mast      cells of one site with the same environment, carrier and height: they share distance, sight and losses
//   carrier   cells of the same centre frequency; they disturb each other and have one bandwidth
//   strength  of a mast at a place, for ranking: max over its cells (power + peak) - median loss not in sight, dBm
//   bounds    the smallest rectangle around every mast's square of reach: uma, umi and rma 5 km, inh 150 m
//
// Units      m, GHz, Hz, dBm, dB; x east, y north. Costs: a search visits the masts of the grid squares it needs.
// Range      what propagation.hpp and antenna.hpp take; cells of one site stand at one place. InvalidArgument names
//            the cell.
// Thread safety  immutable once built; shared freely between threads.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/types.hpp"
#include "radio/antenna.hpp"
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
    struct Mast {
        double x = 0.0, y = 0.0, height = 0.0, ghz = 0.0;
        Environment environment = Environment::uma;
        std::int32_t site = 0, carrier = 0;
        double reach = 0.0;               // m
        double peak = 0.0;                // dBm: the largest power + sector peak of its cells
        std::vector<std::int32_t> cells;  // ascending
    };
    struct Box {
        double west = 0.0, south = 0.0, east = 0.0, north = 0.0;
        [[nodiscard]] bool holds(double x, double y) const {
            return x >= west && x <= east && y >= south && y <= north;
        }
    };

    explicit CellMap(std::vector<Cell> cells);

    [[nodiscard]] index_t size() const { return static_cast<index_t>(cells_.size()); }
    [[nodiscard]] std::span<const Cell> cells() const { return cells_; }
    [[nodiscard]] std::span<const Mast> masts() const { return masts_; }
    [[nodiscard]] std::span<const std::int32_t> carriers() const { return carriers_; }  // [cells], 0 ...
    [[nodiscard]] std::span<const double> carrier_ghz() const { return carrier_ghz_; }  // [carriers], ascending
    [[nodiscard]] const Box& bounds() const { return bounds_; }

    // The up to out.size() masts within reach of (x, y) that are strongest, strongest first, of equals the lowest;
    // `carrier` kAnyCarrier: of all. Returns how many.
    index_t nearest_masts(double x, double y, std::int32_t carrier, std::span<std::int32_t> out) const;

    // The same in cells: whole masts, strongest first, their cells ascending; the last mast may be cut.
    index_t candidates(double x, double y, std::int32_t carrier, std::span<std::int32_t> out) const;

    // Median strength of a mast at a distance within its reach, dBm.
    [[nodiscard]] static double strength(const Mast& mast, double distance);

  private:
    void number_carriers();
    void raise_masts();

    std::vector<Cell> cells_;
    std::vector<Mast> masts_;
    std::vector<std::int32_t> carriers_;
    std::vector<double> carrier_ghz_;
    Box bounds_;
};

}  // namespace tiertwin::radio
