// The leaf problem of the interior-point method in its own units, and the point it is at; see interior_point.hpp.
//
// Groups without demand are left out. A solve begins with load_costs, load_bounds and start; `answer` says the point in
// the problem's units.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include "alloc/formulas.hpp"
#include "alloc/interior_point.hpp"
#include "alloc/newton.hpp"

namespace tiertwin::alloc {

// Smallest bound of a row, as a share of its load at full demand: an interior must exist. `repair` brings the plan back
// to the true bound.
inline constexpr double kLeastBound = 1e-9;

template <std::size_t R>
struct ScaledLeaf {
    ScaledLeaf(const LeafProblem& problem, bool quotas);
    void load_costs(std::span<const double> price);
    void load_bounds(std::span<const double> quota);
    void start();
    void start_rows();
    [[nodiscard]] Suggestion answer(index_t iterations, bool converged) const;
    [[nodiscard]] std::span<Cell<R>> cells_of(std::size_t g) { return std::span(cells).subspan(g * tiers, tiers); }

    const LeafProblem& p;
    bool with_quotas;
    std::size_t tiers;
    double unit = 1.0;  // mean weight of the active groups: the unit of value
    std::vector<std::size_t> active;
    std::vector<Cell<R>> cells;
    std::vector<Group<R>> groups;
    std::array<Bound, R> rows{};
    Vector<R> row_unit{};  // load at full demand
    Vector<R> l{};         // pi + e
    double mu = 0.0;
};

template <std::size_t R>
ScaledLeaf<R>::ScaledLeaf(const LeafProblem& problem, bool quotas)
    : p(problem), with_quotas(quotas), tiers(static_cast<std::size_t>(problem.tiers)) {
    double total = 0.0;
    for (std::size_t i = 0; i < p.demand.size(); ++i)
        if (p.demand[i] * p.weight[i] > 0.0) {
            active.push_back(i);
            total += p.demand[i] * p.weight[i];
        }
    if (active.empty()) return;
    unit = total / static_cast<double>(active.size());
    groups.resize(active.size());
    cells.resize(active.size() * tiers);
    const auto own = static_cast<std::size_t>(p.own);
    const std::size_t used = own + (with_quotas ? static_cast<std::size_t>(p.quotas) : 0);
    for (std::size_t r = 0; r < R; ++r) {
        const double most = r >= used ? 0.0 : r < own ? p.load_max[r] : p.quota_max[r - own];
        row_unit[r] = most > 0.0 ? most : 1.0;
    }
    for (std::size_t g = 0; g < active.size(); ++g) {
        const std::size_t i = active[g];
        groups[g].w = p.demand[i] * p.weight[i] / unit;
        groups[g].alpha = p.alpha[i];
        for (std::size_t t = 0; t < tiers; ++t)
            for (std::size_t r = 0; r < used; ++r) {
                const auto row = static_cast<index_t>(r < own ? r : r - own);
                const auto use = r < own ? p.own_row(row) : p.quota_row(row);
                cells[g * tiers + t].a[r] = p.demand[i] * use[i * tiers + t] / row_unit[r];
            }
    }
}

template <std::size_t R>
void ScaledLeaf<R>::load_costs(std::span<const double> price) {
    for (std::size_t g = 0; g < active.size(); ++g)
        for (std::size_t t = 0; t < tiers; ++t) {
            const std::size_t c = active[g] * tiers + t;
            double cost = p.cost[c];
            for (std::size_t j = 0; j < price.size(); ++j) cost += price[j] * p.quota_row(static_cast<index_t>(j))[c];
            cells[g * tiers + t].cost = p.demand[active[g]] * cost / unit;
        }
}

template <std::size_t R>
void ScaledLeaf<R>::load_bounds(std::span<const double> quota) {
    const auto own = static_cast<std::size_t>(p.own);
    for (std::size_t r = 0; r < R; ++r) {
        Bound& row = rows[r];
        row = Bound{};
        row.limit = 1.0;
        if (r < own) {
            const double capacity = std::max(p.capacity[r] / row_unit[r], kLeastBound);
            row.limit = kLoadLimit * capacity;
            row.pole = capacity - row.limit;
            row.kappa = p.capacity[r] > 0.0 ? p.kappa[r] / unit * capacity : 0.0;
        } else if (with_quotas && r - own < quota.size()) {
            row.limit = std::clamp(quota[r - own] / row_unit[r], kLeastBound, 2.0);  // above 1 a quota cannot bind
        }
    }
}

template <std::size_t R>
void ScaledLeaf<R>::start() {
    const double share = 0.8 / static_cast<double>(tiers);
    Vector<R> load{};
    for (const auto& cell : cells)
        for (std::size_t r = 0; r < R; ++r) load[r] += share * cell.a[r];
    Vector<R> shrink;
    for (std::size_t r = 0; r < R; ++r)
        shrink[r] = load[r] > 0.0 ? std::clamp(0.5 * rows[r].limit / load[r], 1e-3, 1.0) : 1.0;
    mu = 0.1;
    for (std::size_t g = 0; g < groups.size(); ++g) {
        Group<R>& group = groups[g];
        const auto tier = cells_of(g);
        group.ds = group.dm = group.dp = 0.0;  // of the solve before, and NaN if it went astray: 0 * NaN is not 0
        for (Cell<R>& cell : tier) cell.dz = cell.dn = 0.0;
        tier[0].z = 0.8;
        for (std::size_t t = 1; t < tiers; ++t) {
            double factor = 1.0;
            for (std::size_t r = 0; r < R; ++r)
                if (tier[t].a[r] > 0.0) factor = std::min(factor, shrink[r]);
            tier[t].z = share * factor;
            tier[0].z -= tier[t].z;
        }
        group.s = 0.2;
        group.m = mu / group.s;
        group.p = group.w * std::pow(0.8, -group.alpha);
    }
    start_rows();
}

template <std::size_t R>
void ScaledLeaf<R>::start_rows() {
    Vector<R> load{};
    for (const auto& cell : cells)
        for (std::size_t r = 0; r < R; ++r) load[r] += cell.z * cell.a[r];
    for (std::size_t r = 0; r < R; ++r) {
        Bound& row = rows[r];
        row.t = std::max(row.limit - load[r], 0.1 * row.limit);
        row.pi = mu / row.t;
        const double gap = row.t + row.pole;
        row.e = row.kappa > 0.0 ? row.kappa / (gap * gap) : 0.0;
        l[r] = row.pi + row.e;
    }
    for (std::size_t g = 0; g < groups.size(); ++g)
        for (Cell<R>& cell : cells_of(g)) {
            const double price = cell.cost + dot<R>(l, cell.a) + groups[g].m - groups[g].p;
            cell.n = std::max(price, 0.0) + mu / cell.z;
            cell.reduced = price - cell.n;
        }
}

template <std::size_t R>
Suggestion ScaledLeaf<R>::answer(index_t iterations, bool converged) const {
    Suggestion s;
    s.x.assign(p.cells(), 0.0);
    for (std::size_t g = 0; g < active.size(); ++g)
        for (std::size_t t = 0; t < tiers; ++t)
            s.x[active[g] * tiers + t] = p.demand[active[g]] * cells[g * tiers + t].z;
    const auto own = static_cast<std::size_t>(p.own);
    const auto price = [&](std::size_t r) { return active.empty() ? 0.0 : l[r] * unit / row_unit[r]; };
    for (std::size_t k = 0; k < own; ++k) s.own_price.push_back(price(k));
    if (with_quotas)
        for (std::size_t j = 0; j < static_cast<std::size_t>(p.quotas); ++j) s.quota_price.push_back(price(own + j));
    s.iterations = iterations;
    s.converged = converged;
    return s;
}

}  // namespace tiertwin::alloc
