// What a routing problem is for the few resources and options that matter: options cut down to these resources, what is
// the same for all options of a user taken out, dominated options dropped, and users who have the same choice merged.
//
//   offered      options of u in use, and those that cost at most (1 + margin) times its cheapest
//   option of u  ->  its uses of critical resources, less the least use over the options of u (that part is base load)
//   dropped      if another option of u uses no more of any critical resource
//   merged       users with the same options left: their demands add up
//
// With an infinite margin all of it is exact for the problem that has the critical resources only, whose optimum is a
// lower bound of the whole. Among options that look alike the one with the least `congestion` is taken.
//
// Thread safety  one thread owns an object.
// Cost           O(options^2 + entries) per user, no dependence on the order of users but in the numbering of groups.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "alloc/routing_problem.hpp"

namespace tiertwin::alloc {

// Which options are offered: [K] shares in use, [R] prices, and the margin.
struct Offer {
    std::span<const double> share, price;
    double margin;
};

class ReducedRouting {
  public:
    // `critical` [R] flags; `congestion` [R] price used for ties only.
    ReducedRouting(const RoutingProblem& problem, std::span<const char> critical, std::span<const double> congestion,
                   const Offer& offer);

    // Users with a choice, merged; use is in shares of capacity, for the whole demand of the group. Null: no choice
    // left.
    std::unique_ptr<Options> options;
    std::vector<double> base;                 // [rows] share of capacity that is taken whatever is chosen
    std::vector<std::uint32_t> row_resource;  // [rows] which resource a row is

    // Shares [K of the problem] from shares of the reduced options (ignored where `options` is null).
    // The mean shares of the groups in a split of the problem; what it has on dropped options goes to the others
    // evenly.
    [[nodiscard]] std::vector<double> collect(std::span<const double> share) const;
    void expand(std::span<const double> reduced, std::span<double> share) const;

  private:
    const RoutingProblem& problem_;
    std::vector<std::int64_t> group_of_;  // [U] or -1: one option, the first of `chosen_`
    std::vector<std::uint32_t>
        chosen_;  // [K] options kept, per user from its first place on, in the order of its group
    std::vector<index_t> first_of_group_;  // [groups + 1] first option
};

}  // namespace tiertwin::alloc
