// Posterior probabilities of causes given the evidence, several causes at once.
//
//   P(c | evidence) = sum_{A with c} P(A | evidence),   part by part (parts.hpp)
//
// A part of few causes is summed over all its sets: exact. In a larger one these sets are summed, each once:
//
//   1. no cause, every single cause, every pair whose bound gain_j + gain_k is within `cutoff` of the best score;
//   2. all sets of a shortlist: the best set and what rivals its members most, as many as `work` lets;
//   3. the best set with one cause of elsewhere added, or put in the place of a member.
//
// What is left out is told: `complete` is false where a pair within the cutoff, or a rival of the best set of more than
// 1/1000 of its weight, found no place, or where `work` did not last for the swaps that make the best set better. Ties
// go to the lowest cause; nothing is drawn by lot, nothing is timed.
//
// Thread safety  pure but for the gains that `evidence` brings up to date: one owner.
#pragma once

#include "localise/parts.hpp"

namespace tiertwin::localise {

struct Limits {
    double cutoff = 25.0;        // nats below the best set at which a set counts for nothing
    std::size_t shortlist = 12;  // causes all of whose sets are summed, at most 20
    double work = 2e7;           // terms (one logarithm each) of all parts together; sets, pairs, swaps and rivals each
};

struct Posterior {
    std::vector<double> probability;  // [causes]
    std::vector<std::int32_t> best;   // the likeliest set found, ascending
    double ln_best = 0.0;             // its posterior, ln
    bool complete = true;
    std::size_t parts = 0;
};

[[nodiscard]] Posterior posterior(Evidence& evidence, const Limits& limits);

}  // namespace tiertwin::localise
