// All sets of a shortlist of causes, with some others always present: weights summed by depth-first search.
//
// Costs  sum_k 2^k alarms of the k-th cause, heaviest first: one cause with 10^5 alarms comes in once, not 2^n times.
//        Exposures are put back as they were, so nothing drifts.
#pragma once

#include "localise/mass.hpp"

namespace tiertwin::localise {

// Terms that all sets of a list cost.
[[nodiscard]] double subsets_cost(const Part& part, const Members& list);

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
    const Members fixed_;
    Members list_;
    std::size_t smallest_;
    Mass* mass_ = nullptr;
    Members chosen_;
    double score_;
    std::vector<double> exposure_, ln_alarm_;
    std::vector<std::vector<double>> kept_;  // by position: exposures and ln P before the cause came in
};

}  // namespace tiertwin::localise
