// What several files of this folder need of a plan: its bounded rows, and the rates of one group.
#pragma once

#include <span>
#include <vector>

#include "alloc/formulas.hpp"
#include "alloc/leaf_problem.hpp"

namespace tiertwin::alloc {

// A coupling of the groups: sum_it use_it x_it <= bound.
struct Row {
    std::span<const double> use;  // [G,T]
    double bound;
};

// The K own resources at their load limit, then one row a quota given.
[[nodiscard]] inline std::vector<Row> bounded_rows(const LeafProblem& p, std::span<const double> quota) {
    std::vector<Row> rows;
    for (index_t k = 0; k < p.own; ++k)
        rows.push_back({p.own_row(k), kLoadLimit * p.capacity[static_cast<std::size_t>(k)]});
    for (std::size_t j = 0; j < quota.size(); ++j) rows.push_back({p.quota_row(static_cast<index_t>(j)), quota[j]});
    return rows;
}

[[nodiscard]] inline std::size_t first_cell(const LeafProblem& p, std::size_t group) {
    return group * static_cast<std::size_t>(p.tiers);
}

[[nodiscard]] inline std::span<double> rates_of(const LeafProblem& p, std::span<double> x, std::size_t group) {
    return x.subspan(first_cell(p, group), static_cast<std::size_t>(p.tiers));
}

// Rate the device would still take by its own cost alone, when the group already has `served` tasks/s.
[[nodiscard]] inline double device_room(const LeafProblem& p, std::size_t group, double served) {
    const double want = p.demand[group] * best_share(p.weight[group], p.cost[first_cell(p, group)], p.alpha[group]);
    return want > served ? want - served : 0.0;
}

}  // namespace tiertwin::alloc
