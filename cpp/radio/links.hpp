// Long-term gains of links, and the cells that a user hears best.
//
//   gain = sector - path loss - sigma * shadow - wall - 0.5 * depth - sigma_wall * wall field     dB
//
//   sight     Phi(field of the site) < P_LOS(distance outside the building)
//   shadow    a field of the site and environment, one in sight and one not; all carriers of the site share them
//   walls     users indoors under a cell outside: high loss with the given share (none in rma), else low; depth behind
//             the wall: the lesser of two uniform numbers to 25 m (rma 10 m). inh: no wall, and nobody outside hears it
//   heights   counted as the nearest that the environment's model takes (rma: at most 10 m)
//
// Source     TR 38.901 V17 sections 7.3, 7.4, 7.5; correlation distances of sight (uma, umi 50 m, rma 60 m, inh 10 m)
// and
//            of being indoors (50 m) table 7.6.3.1-2. Ours: the fields; correlation distances of walls (kind 50 m,
//            depth 25 m, spread 7 m); sigma in sight or not also for users indoors; the share of high-loss buildings.
//            Sight is yes or no: the soft state of equation 7.6-18 is left out.
// Units      m, dB. Range: users inside the map's bounds, heights of 1 ... 22.5 m; InvalidArgument names the user.
//            A user on the map but beyond the reach of every mast hears nobody.
// Costs      about 25 us a user among 330 masts within reach, 110 us among 2400: most of it one or two fields a mast.
//            LinkRules::masts caps it and errs: on the map of benchmarks/radio.py 48 masts take half the time and give
//            another best cell to 6 % of users, because masts far away that happen to be in sight are missed.
// Thread safety  pure functions on distinct outputs.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/types.hpp"
#include "radio/cells.hpp"
#include "radio/shadow.hpp"

namespace tiertwin::radio {

struct LinkRules {
    double high_loss_share = 0.2;        // of buildings outside rma
    std::int32_t carrier = kAnyCarrier;  // one carrier only
    index_t masts = 0;                   // judge only so many masts, the strongest by CellMap; 0: all within reach
};

// The fields of a map under one seed; build once (about 1 us a mast), use for every call.
class SiteFields {
  public:
    SiteFields(const CellMap& map, std::uint64_t seed);
    // Of a mast: who sees it, and its shadows in sight and not.
    [[nodiscard]] const Field& sight(std::int32_t mast) const { return sight_[static_cast<std::size_t>(mast)]; }
    [[nodiscard]] const Field& clear(std::int32_t mast) const { return clear_[static_cast<std::size_t>(mast)]; }
    [[nodiscard]] const Field& hidden(std::int32_t mast) const { return hidden_[static_cast<std::size_t>(mast)]; }
    [[nodiscard]] const Field& place(Purpose what) const {  // what is not of a site
        return places_[static_cast<std::size_t>(what) - static_cast<std::size_t>(Purpose::surroundings)];
    }
    // Of a building under a kind of mast.
    [[nodiscard]] const Wall& wall(std::size_t kind, bool high_loss) const { return walls_[2 * kind + high_loss]; }

  private:
    std::vector<Field> sight_, clear_, hidden_;  // apart: of most masts only the first is asked
    std::vector<Field> places_;
    std::vector<Wall> walls_;
};

// The k cells of the largest received power (power + gain) of each user, strongest first, of equals the lowest id.
// `cells` and `gains` (dB) are [users x k]; -1 and -infinity where there are fewer.
void strongest(const CellMap& map, std::span<const double> x, std::span<const double> y, std::span<const double> z,
               std::span<const bool> indoors, std::uint64_t seed, index_t k, std::span<std::int32_t> cells,
               std::span<double> gains, const LinkRules& rules = {});
void strongest(const CellMap& map, const SiteFields& fields, std::span<const double> x, std::span<const double> y,
               std::span<const double> z, std::span<const bool> indoors, index_t k, std::span<std::int32_t> cells,
               std::span<double> gains, const LinkRules& rules = {});

// Who is indoors where `share` of all are, by place (correlated over 50 m).
void indoors_at(std::uint64_t seed, double share, std::span<const double> x, std::span<const double> y,
                std::span<bool> indoors);

}  // namespace tiertwin::radio
