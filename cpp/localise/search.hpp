// The set of causes that explains the alarms of one part best: greedy, then swaps.
//
// f is concave, so the score is submodular: what a cause adds falls as others join. Greedy therefore need not look at
// causes whose last known gain is below the best (M. Minoux, 1978), and single gains bound what any swap can win.
//
// Thread safety  pure functions.
// Costs          greedy about O(influences) altogether; a round of swaps O(alarms + influences of rivals) a member,
//                counted in terms and stopped when a budget of them is used up.
#pragma once

#include "localise/parts.hpp"

namespace tiertwin::localise {

// By how much a score must be more than another to be better: less is the rounding of sums over 10^6 alarms.
[[nodiscard]] inline double margin(double score) { return 1e-9 + 1e-10 * std::abs(score); }

using Members = std::vector<std::int32_t>;  // causes of a part, ascending

// A set of causes with the exposures it makes.
class Standing {
  public:
    Standing(const Part& part, Members members);

    [[nodiscard]] const Members& members() const { return members_; }
    [[nodiscard]] double score() const { return score_; }
    void add(std::int32_t c);  // not a member so far
    // What `c`, not a member, would add. O(its alarms).
    [[nodiscard]] double gain(std::int32_t c) const;
    // What is lost without the member `c`; rounded, for ranking. O(its alarms).
    [[nodiscard]] double loss(std::int32_t c) const;
    [[nodiscard]] const std::vector<double>& exposures() const { return exposure_; }
    [[nodiscard]] bool has(std::int32_t c) const { return member_[static_cast<std::size_t>(c)] != 0; }

  private:
    const Part* part_;
    Members members_;
    std::vector<std::uint8_t> member_;
    std::vector<double> exposure_, ln_alarm_;  // [alarms]
    double score_ = 0.0;
};

// Causes by falling single gain, ties to the lowest.
[[nodiscard]] Members by_gain(const Part& part);

[[nodiscard]] Members greedy(const Part& part, const Members& order);

// Adds, drops or swaps one member as long as that makes the score better, the best such change each time. Every change
// makes it better by more than `margin`, so lookalikes do not take turns and this ends; sooner where `work` terms (what
// is left of them is left in it) are not enough.
[[nodiscard]] Members improved(const Part& part, const Members& order, Members members, double& work);

}  // namespace tiertwin::localise
