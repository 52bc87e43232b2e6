// The leaf problem of each site of the domain in a situation, and its plan.
//
//   demand, server, cells      as the situation leaves them
//   uplink                     believed * share now / share as believed (backbone.hpp); the share now where that was 0
//   quotas                     as granted, times now / as believed of the fog's server, the fog's uplink, the cloud's
//   server cost_it                    believed + lost_per_s * (change of the route's 2 * 5 us/km + Mb / capacity)
//                              - change of the idle price of the server (tiertwin.world.objective)
//   kappa                      of the radio in proportion; server: kappa0 C + s * ErlangC(c, 0.8 c); uplink: kappa0 C
//
// Plans are the standing one, in proportion to the demand (the set-points are shares of tasks), or the leaf's own
// optimum inside those quotas (alloc/leaf.hpp): what an edge decides before its parent has spoken again. A site whose
// problem is as believed keeps the plan worked out for that, to the bit.
//
// Thread safety  immutable once built.   Costs  about 0.06 ms a site that plans anew (20 groups).
#pragma once

#include <span>
#include <vector>

#include "whatif/backbone.hpp"

namespace tiertwin::whatif {

inline constexpr double kLeastUplink = 1e-6;  // stands for an uplink of nothing, Mb/s
inline constexpr double kPerKm = 5e-6;        // s, in fibre

enum class Replan : std::int64_t { none = 0, local = 1 };

// A route: what a task takes over it without waiting is 2 * km_s + Mb * per_megabit, s.
struct Way {
    double km_s = 0, per_megabit = 0;
};
[[nodiscard]] Way way_of(const Belief& belief, const Ways& ways, std::size_t route);

// One site's problem in a situation.
struct Problem {
    std::vector<double> demand, cost;  // [G], [G, 4]
    double capacity[3] = {}, kappa[3] = {}, quota[3] = {};
    bool operator==(const Problem&) const = default;
};

class Sites {
  public:
    Sites(const Belief& belief, const Ways& believed);  // which must outlive it

    void problem(std::size_t home, const State& state, const Ways& ways, Problem& out) const;
    // [G, 4] of one site.
    void plan(std::size_t home, const Problem& problem, Replan replan, std::span<double> x) const;
    // What a fog may send up now, Mb/s.
    [[nodiscard]] double fog_uplink(std::size_t fog, const Ways& ways) const;
    [[nodiscard]] double server_kappa(double ghz) const;

  private:
    [[nodiscard]] double queueing_kappa(double ghz) const;
    [[nodiscard]] double idle_price(double ghz) const;  // of a gigacycle, utils
    void solve(std::size_t home, const Problem& problem, std::span<double> x) const;

    const Belief& belief_;
    const Ways& believed_;
    std::vector<Way> way_;                                  // [S + F] as believed
    std::vector<double> idle_;                              // [S + F + 1] as believed
    std::vector<std::vector<double>> use_own_, use_quota_;  // [D] of [3, G, 4]
    std::vector<Problem> as_believed_;                      // [D]
    std::vector<double> own_plan_;                          // [D, G, 4] local plans of those
};

}  // namespace tiertwin::whatif
