// Signal to interference and noise, and the rate it carries.
//
//   SINR = P_s g_s b / (sum over other cells c of the carrier of load_c P_c g_c + N)        N = -174 dBm/Hz + 10 lg W +
//   NF rate = W min(eta log2(1 + SINR), cap)                                                   bit/s
//
// b: gain of the serving cell's beam (array_gain); interferers' beams point elsewhere and count with their sector's
// pattern only (ours). Cells outside a user's row are not counted: with the 20 strongest of 1000 cells at load 0.5 the
// SINR is 0.14 dB too high on average, 0.5 dB for one user in twenty (benchmarks/radio.py's map).
//
// Units      dB, dBm, Hz; loads in [0, 1]; SINR in dB at the border, powers in mW inside.
// Costs      about 5 ns an entry from decibels, 1 ns an entry again under other loads (Links).
// Thread safety  pure functions; Links is immutable once built.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/types.hpp"
#include "radio/cells.hpp"

namespace tiertwin::radio {

// Who hears whom: received powers in mW, kept linear for repeated calls with other loads.
class Links {
  public:
    // gains (dB) and cells are [users x k] as `strongest` fills them; `serving`: the slot in 0 ... k-1, -1: none;
    // `beam_db`: gain of the serving beam, [users], or empty for 0 dB. `first_user` is where messages count from.
    // InvalidArgument: sizes, a cell or slot there is none of, a gain outside +-1000 dB, the own cell twice (that no
    // other cell stands twice is the caller's duty).
    Links(const CellMap& map, std::span<const double> gains, std::span<const std::int32_t> cells,
          std::span<const std::int32_t> serving, std::span<const double> beam_db, std::size_t first_user = 0);

    [[nodiscard]] index_t users() const { return static_cast<index_t>(signal_.size()); }
    [[nodiscard]] index_t cells() const { return cells_; }
    [[nodiscard]] std::span<const std::int32_t> serving_cell() const { return serving_; }  // [users], -1: none
    [[nodiscard]] std::span<const double> bandwidth() const { return bandwidth_; }         // [users], Hz

    // Linear SINR of every user under these loads; 0 without a serving cell.
    void ratio(std::span<const double> load, std::span<double> out) const;
    void sinr(std::span<const double> load, std::span<double> out) const;  // dB; -infinity without a serving cell

  private:
    index_t add(const CellMap& map, std::size_t user, std::span<const double> gains,
                std::span<const std::int32_t> cells, std::int32_t serving, double beam_db);

    index_t cells_ = 0;
    std::size_t first_user_ = 0;
    std::vector<double> signal_, noise_, bandwidth_;  // [users], mW
    std::vector<std::int32_t> serving_;               // [users]
    std::vector<index_t> first_;                      // [users + 1]
    std::vector<double> power_;                       // mW, of interferers
    std::vector<std::int32_t> from_;                  // their cells
};

// Gain of the beam of each user's serving cell, dB: by the size of the cell's array and the beam's errors of pointing,
// degrees (array_gain); 0 dB where the cell is -1. Elements stand half a wavelength apart.
void serving_beams(const CellMap& map, std::span<const std::int32_t> cells, std::span<const double> azimuth_error,
                   std::span<const double> elevation_error, std::span<double> out);

// SINR in dB; -infinity without a serving cell.
void sinr(const CellMap& map, std::span<const double> gains, std::span<const std::int32_t> cells,
          std::span<const std::int32_t> serving, std::span<const double> beam_db, std::span<const double> load,
          std::span<double> out);

struct RateRules {
    double efficiency = 0.7;  // of Shannon: 0 ... 1
    double cap = 7.4;         // bit/s/Hz
};
void check(const RateRules& rules);                                                              // InvalidArgument
[[nodiscard]] double rate_of(double sinr_db, double bandwidth_hz, const RateRules& rules = {});  // bit/s

// 4-bit channel quality of TS 38.214 table 5.2.2.1-3 (256-QAM); 0: out of range.
// Least SINR of each: where a Shannon rate of kCqiShare carries the efficiency (ours: the tables give no SINR).
inline constexpr double kCqiShare = 0.75;
[[nodiscard]] int cqi_of(double sinr_db);      // 0 (out of range) ... 15
[[nodiscard]] double cqi_efficiency(int cqi);  // bit/s/Hz; 0 for 0
[[nodiscard]] double cqi_threshold(int cqi);   // dB, of 1 ... 15

}  // namespace tiertwin::radio
