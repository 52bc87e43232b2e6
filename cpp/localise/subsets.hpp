// All sets of a shortlist of causes, with some others always present: weights summed by depth-first search.
//
// Costs  O(2^n) steps, each over the alarms of one cause; exposures are put back as they were, so nothing drifts.
#pragma once

#include "localise/mass.hpp"

namespace tiertwin::localise {

class Subsets {
  public:
    // `fixed` are present in every set; sets of `smallest` causes or more are summed (the others were elsewhere).
    Subsets(const Part& part, const Members& fixed, const Members& shortlist, std::size_t smallest);
    void sum(Mass& mass);

  private:
    [[nodiscard]] double visit(std::size_t position, double score);
    [[nodiscard]] double leaf(double score);
    double enter(std::size_t position);
    void leave(std::size_t position);

    const Part& part_;
    const Members &fixed_, &list_;
    std::size_t smallest_;
    Mass* mass_ = nullptr;
    Members chosen_;
    double score_;
    std::vector<double> exposure_, ln_alarm_;
    std::vector<std::vector<double>> kept_;  // by position: exposures and ln P before the cause came in
};

}  // namespace tiertwin::localise
