// The search behind strongest(): one user's links to masts, judged from near to far, as little of each as decides.
//
//   A mast is left out as soon as its greatest possible power (its sectors' peak, shadows of Field::kMost sigma) is
//   below the k-th found: first by the median losses, then by the sight there is, then by the whole loss.
//
// What is left out cannot be among the k strongest, so the answer is that of looking at every cell.
// Thread safety  a search belongs to one thread; it reads the map and the fields.
#pragma once

#include <span>
#include <vector>

#include "radio/links.hpp"

namespace tiertwin::radio {

class LinkSearch {
  public:
    LinkSearch(const CellMap& map, const SiteFields& fields, const LinkRules& rules, index_t k);

    // The k strongest cells of a user, as links.hpp says; the spans hold k each.
    void find(double x, double y, double z, bool indoors, std::span<std::int32_t> cells, std::span<double> gains);

  private:
    struct Wall {
        double loss = 0.0;   // dB, all of it
        double depth = 0.0;  // m behind it
    };
    struct Heard {
        double power = 0.0;
        std::int32_t cell = 0;
        double gain = 0.0;
        bool operator<(const Heard& other) const {  // stronger
            return power != other.power ? power > other.power : cell < other.cell;
        }
    };

    void prepare(double z);
    void prepare_walls(double x, double y);
    [[nodiscard]] bool any_beyond(double distance) const;
    void look_ahead();
    void judge(std::int32_t which);
    [[nodiscard]] bool in_sight(const Field& field, std::size_t kind, double distance) const;
    [[nodiscard]] double median_loss(std::size_t kind, double distance, bool sight, const LossLaw::Medians& median);
    void hear(const CellMap::Mast& mast, double east, double north, double distance, double loss);
    void keep(const Heard& one);

    const CellMap& map_;
    const SiteFields& fields_;
    const LinkRules& rules_;
    std::size_t k_;
    std::vector<std::int32_t> masts_;  // of a search among few

    // Of the user in hand.
    double x_ = 0.0, y_ = 0.0, z_ = -1.0;
    bool indoors_ = false;
    std::vector<LossLaw> laws_;                 // by kind, for the height
    std::vector<std::vector<LossLaw>> raised_;  // by kind: for surroundings of 12, 15, ... m where those can be
    std::vector<double> heights_;               // by kind, as its model counts them
    std::vector<Wall> walls_;                   // by kind
    std::vector<double> rare_from_;       // by kind: from here on kRarely of users at the height see the mast, at most
    std::vector<double> only_seen_from_;  // by kind: look_ahead()
    double surroundings_ = 0.0;           // in [0, 1]
    std::vector<Heard> heard_;            // a heap whose front is the weakest
    double least_ = 0.0;                  // dBm: weaker cells need not be looked at
};

}  // namespace tiertwin::radio
