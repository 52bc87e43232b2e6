#include "alloc/repair.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "alloc/evaluate.hpp"
#include "alloc/rows.hpp"

namespace tiertwin::alloc {

namespace {

// Scaled loads may round up by an ulp a group; this much room keeps them at or below the bound.
constexpr double kRepairRoom = 1.0 - 1e-13;

double total(std::span<const double> rates) { return std::accumulate(rates.begin(), rates.end(), 0.0); }

void scale_to_demand(std::span<double> rates, double demand) {
    const double served = total(rates);
    if (served <= demand) return;
    for (double& rate : rates) rate *= demand / served * (1.0 - 1e-15);
}

void clip(const LeafProblem& p, std::span<double> x) {
    for (double& rate : x) rate = std::isfinite(rate) && rate > 0.0 ? rate : 0.0;
    for (std::size_t i = 0; i < p.demand.size(); ++i) scale_to_demand(rates_of(p, x, i), p.demand[i]);
}

void shrink_factors(const Row& row, std::span<const double> x, std::vector<double>& factor) {
    const double load = load_of(row.use, x);
    if (load <= row.bound) return;
    const double share = row.bound > 0.0 ? row.bound / load * kRepairRoom : 0.0;
    for (std::size_t c = 0; c < factor.size(); ++c)
        if (row.use[c] > 0.0) factor[c] = std::min(factor[c], share);
}

}  // namespace

void repair(const LeafProblem& p, std::span<double> x, std::span<const double> quota) {
    clip(p, x);
    std::vector<double> factor(x.size(), 1.0);
    for (const Row& row : bounded_rows(p, quota)) shrink_factors(row, x, factor);

    for (std::size_t i = 0; i < p.demand.size(); ++i) {
        const auto rates = rates_of(p, x, i);
        double taken = 0.0;
        for (std::size_t t = 0; t < rates.size(); ++t) {
            const double kept = rates[t] * factor[first_cell(p, i) + t];
            taken += rates[t] - kept;
            rates[t] = kept;
        }
        if (taken <= 0.0) continue;
        rates[0] += std::min(taken, device_room(p, i, total(rates)));
        scale_to_demand(rates, p.demand[i]);
    }
}

void refresh(const LeafProblem& p, std::span<double> x) {
    repair(p, x, {});
    for (std::size_t i = 0; i < p.demand.size(); ++i) {
        const auto rates = rates_of(p, x, i);
        rates[0] += device_room(p, i, total(rates));
        scale_to_demand(rates, p.demand[i]);
    }
}

}  // namespace tiertwin::alloc
