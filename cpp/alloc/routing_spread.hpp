// Sweeps over the demands that level the load of resources: a cheap way to a good split and to good prices.
//
//   minimise  sum_r rho_r^(p+1),   rho_r = load_r / c_r over the fullest,   price of r = rho_r^p / c_r
//
// one demand at a time, at the loads the demands before it left: a Newton step from its dearest option in use to its
// cheapest. As p doubles from sweep to sweep the sum comes close to the fullest resource alone, and the prices to those
// of the least utilisation: after 5 sweeps a split is often within 1e-3 of the best on networks of thousands of nodes
// pairs, and where many resources are as full as each other it is some per cent off. Any prices bound the optimum
// (routing_problem.hpp), so nothing rests on how well this works.
//
// Thread safety  one thread owns an object.
// Cost           a sweep O(options + entries).
#pragma once

#include <span>
#include <vector>

#include "alloc/routing_problem.hpp"

namespace tiertwin::alloc {

class Levelling {
  public:
    explicit Levelling(const RoutingProblem& problem);

    // One sweep with p a power of 2; `load` [R] belongs to `share` [K] and is kept so.
    void sweep(std::span<double> share, std::span<double> load, int power);
    // [R] prices of loads at this power.
    [[nodiscard]] std::span<const double> price(std::span<const double> load, int power);

  private:
    const RoutingProblem& p_;
    std::vector<double> inverse_;                // [R] 1 / capacity, 0 where there is no limit
    std::vector<double> scaled_, price_, bend_;  // [R] 1 / (capacity top); price; its slope in the load

    bool scale(std::span<const double> load, int power);
    [[nodiscard]] bool is_free(std::size_t k) const;
    void refresh(std::size_t r, double load, int power);
    void move(std::size_t u, std::span<double> share, std::span<double> load, int power);
};

}  // namespace tiertwin::alloc
