// The evidence cut into parts that say nothing about each other.
//
// Silence adds up over causes, so two causes are coupled only where both may have made the same alarm. Causes joined by
// alarms, directly or over others, make a part; given the evidence, parts are independent:
//
//   ln P(A | evidence) = sum over parts of score(A in part) + constant
//   score(A) = sum_{c in A} plain_c + sum_{alarms i of the part} [f(x_i(A)) - f(l_i)],   plain_c = o_c - sum_silent
//   w_ci
//
// A cause without an alarm is a part of its own with posterior 1/(1 + exp(-gain)), exactly. Causes of gain below
// -`cutoff` are left out of the parts: whatever else holds, their posterior is at most 1/(1 + exp(cutoff)).
#pragma once

#include "localise/evidence.hpp"

namespace tiertwin::localise {

// Numbered within the part: causes ascending, alarms in the order in which causes name them.
struct Part {
    std::vector<std::int32_t> cause;  // in the model
    std::vector<double> plain, gain;  // [causes]
    std::vector<std::size_t> first;   // [causes + 1] into `influence`
    std::vector<Influence> influence;
    std::vector<double> background;  // [alarms]

    [[nodiscard]] std::size_t causes() const { return cause.size(); }
    [[nodiscard]] std::span<const Influence> of(std::size_t c) const {
        return std::span(influence).subspan(first[c], first[c + 1] - first[c]);
    }
};

// Parts in the order of their lowest cause. Costs O(influences of causes that are not left out).
[[nodiscard]] std::vector<Part> parts_of(Evidence& evidence, double cutoff);

}  // namespace tiertwin::localise
