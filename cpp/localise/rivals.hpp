// What rivals the best set of causes of one part, and who is on the shortlist.
#pragma once

#include "localise/mass.hpp"

namespace tiertwin::localise {

// The best set with `cause` added (`gone` -1) or put in the place of its member `gone`.
struct Rival {
    std::int32_t cause, gone;
    double score;
};

// All within `cutoff` of the best set's score; as many as `work` terms find, which is then below 0. Costs O(alarms +
// influences of rivals) a member.
[[nodiscard]] std::vector<Rival> rivals(const Part& part, const Members& order, const Members& best, double cutoff,
                                        double& work);

struct Shortlist {
    Members list, fixed;    // ascending; `fixed`: members of the best set for which there was no room
    bool everybody = true;  // no rival of weight above 1/1000 was left out
};

// At most `room` causes, fewer where all their sets would cost more than `work`: members of the best set first, then
// the strongest rivals. Where members alone are too many, half of the room goes to those that are missed least.
[[nodiscard]] Shortlist shortlist(const Part& part, const Members& best, const std::vector<Rival>& rivals,
                                  std::size_t room, double work);

}  // namespace tiertwin::localise
