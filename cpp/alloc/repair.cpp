#include "alloc/repair.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "alloc/evaluate.hpp"
#include "alloc/formulas.hpp"

namespace tiertwin::alloc {

namespace {

// Scaled loads may round up by an ulp a group; this much room keeps them at or below the bound.
constexpr double kRoom = 1.0 - 1e-13;

std::size_t offset(const LeafProblem& p, std::size_t group) { return group * static_cast<std::size_t>(p.tiers); }

std::span<double> rates_of(const LeafProblem& p, std::span<double> x, std::size_t group) {
    return x.subspan(offset(p, group), static_cast<std::size_t>(p.tiers));
}

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

// Rate the device would still take by its own cost alone, given what the other tiers serve.
double device_room(const LeafProblem& p, std::size_t group, std::span<const double> rates) {
    const double want = p.demand[group] * best_share(p.weight[group], p.cost[offset(p, group)], p.alpha[group]);
    return std::max(0.0, want - total(rates));
}

void shrink_factors(std::span<const double> row, double bound, std::span<const double> x, std::vector<double>& factor) {
    const double load = load_of(row, x);
    if (load <= bound) return;
    const double share = bound > 0.0 ? bound / load * kRoom : 0.0;
    for (std::size_t c = 0; c < factor.size(); ++c)
        if (row[c] > 0.0) factor[c] = std::min(factor[c], share);
}

}  // namespace

void repair(const LeafProblem& p, std::span<double> x, std::span<const double> quota) {
    clip(p, x);
    std::vector<double> factor(x.size(), 1.0);
    for (index_t k = 0; k < p.own; ++k)
        shrink_factors(p.own_row(k), kLoadLimit * p.capacity[static_cast<std::size_t>(k)], x, factor);
    for (std::size_t j = 0; j < quota.size(); ++j) shrink_factors(p.quota_row(static_cast<index_t>(j)), quota[j], x, factor);

    for (std::size_t i = 0; i < p.demand.size(); ++i) {
        const auto rates = rates_of(p, x, i);
        double taken = 0.0;
        for (std::size_t t = 0; t < rates.size(); ++t) {
            const double kept = rates[t] * factor[offset(p, i) + t];
            taken += rates[t] - kept;
            rates[t] = kept;
        }
        if (taken <= 0.0) continue;
        rates[0] += std::min(taken, device_room(p, i, rates));
        scale_to_demand(rates, p.demand[i]);
    }
}

void refresh(const LeafProblem& p, std::span<double> x) {
    repair(p, x, {});
    for (std::size_t i = 0; i < p.demand.size(); ++i) {
        const auto rates = rates_of(p, x, i);
        rates[0] += device_room(p, i, rates);
        scale_to_demand(rates, p.demand[i]);
    }
}

namespace {

struct Row {
    std::span<const double> use;
    double bound;  // hard limit of the row
    double left;   // what greedy may still spend
};

std::vector<Row> bounded_rows(const LeafProblem& p, std::span<const double> quota, double own_share) {
    std::vector<Row> rows;
    for (index_t k = 0; k < p.own; ++k) {
        const double bound = kLoadLimit * p.capacity[static_cast<std::size_t>(k)];
        rows.push_back({p.own_row(k), bound, own_share * bound});
    }
    for (std::size_t j = 0; j < quota.size(); ++j) rows.push_back({p.quota_row(static_cast<index_t>(j)), quota[j], quota[j]});
    return rows;
}

struct Offer {
    double merit;  // utility saved per share of the scarcest resource spent
    std::size_t group, cell;
};

// Offers better than the device, best first. Merit counts each use as a share of its bound.
std::vector<Offer> offers(const LeafProblem& p, const std::vector<Row>& rows) {
    std::vector<Offer> list;
    for (std::size_t i = 0; i < p.demand.size(); ++i)
        for (std::size_t t = 1; t < static_cast<std::size_t>(p.tiers); ++t) {
            const std::size_t device = offset(p, i), cell = device + t;
            const double saving = std::max(p.weight[i], p.cost[device]) - p.cost[cell];
            double spent = 1e-300;
            for (const Row& row : rows) spent += row.use[cell] > 0.0 ? row.use[cell] / std::max(row.bound, 1e-300) : 0.0;
            if (saving > 0.0 && p.demand[i] > 0.0 && spent < 1e290) list.push_back({saving / spent, i, cell});
        }
    std::sort(list.begin(), list.end(),
              [](const Offer& a, const Offer& b) { return a.merit != b.merit ? a.merit > b.merit : a.cell < b.cell; });
    return list;
}

}  // namespace

void greedy(const LeafProblem& p, std::span<const double> quota, std::span<double> x) {
    // Four fifths of a capacity: beyond it the delay term grows faster than most offers are worth.
    std::vector<Row> rows = bounded_rows(p, quota, 0.8);
    std::fill(x.begin(), x.end(), 0.0);
    std::vector<double> unserved(p.demand);
    for (const Offer& offer : offers(p, rows)) {
        double rate = unserved[offer.group];
        for (const Row& row : rows)
            if (row.use[offer.cell] > 0.0) rate = std::min(rate, row.left / row.use[offer.cell]);
        if (rate <= 0.0) continue;
        x[offer.cell] += rate;
        unserved[offer.group] -= rate;
        for (Row& row : rows) row.left = std::max(0.0, row.left - rate * row.use[offer.cell]);
    }
    for (std::size_t i = 0; i < p.demand.size(); ++i) {
        const auto rates = rates_of(p, x, i);
        rates[0] += device_room(p, i, rates);
    }
    repair(p, x, quota);
}

namespace {

// Nearest point of { x >= 0, sum x <= bound } to `rates`: subtract one threshold, clip (Held, Wolfe, Crowder 1974).
void project_group(std::span<double> rates, double bound, std::vector<double>& sorted) {
    double positive = 0.0;
    for (double rate : rates) positive += std::max(rate, 0.0);
    double threshold = 0.0;
    if (positive > bound) {
        sorted.assign(rates.begin(), rates.end());
        std::sort(sorted.begin(), sorted.end(), std::greater<>());
        double sum = 0.0;
        for (std::size_t n = 0; n < sorted.size(); ++n) {
            sum += sorted[n];
            const double candidate = (sum - bound) / static_cast<double>(n + 1);
            if (candidate >= sorted[n]) break;
            threshold = candidate;
        }
    }
    for (double& rate : rates) rate = std::max(rate - threshold, 0.0);
}

// The dual of the projection: x(l) projects x0 - sum_r l_r row_r group by group; each l_r >= 0 is exact in its turn.
class Projection {
  public:
    Projection(const LeafProblem& problem, std::span<double> x, std::vector<Row> rows)
        : p_(problem), x_(x), start_(x.begin(), x.end()), rows_(std::move(rows)), price_(rows_.size(), 0.0) {
        place();
    }

    // One pass over the rows; returns the largest relative excess left.
    double sweep() {
        for (std::size_t r = 0; r < rows_.size(); ++r) settle(r);
        double worst = 0.0;
        for (const Row& row : rows_) worst = std::max(worst, (load_of(row.use, x_) - row.bound) / scale(row));
        return worst;
    }

  private:
    static double scale(const Row& row) { return row.bound > 0.0 ? row.bound : 1.0; }

    double load_at(std::size_t r, double price) {
        price_[r] = price;
        place();
        return load_of(rows_[r].use, x_);
    }

    // The load falls with its own price: bracket, then halve.
    void settle(std::size_t r) {
        const Row& row = rows_[r];
        if (load_at(r, 0.0) <= row.bound) return;
        double low = 0.0, high = 1e-3;
        while (load_at(r, high) > row.bound && high < 1e30) high *= 4.0;
        for (int halving = 0; halving < 60 && high - low > 1e-15 * high; ++halving) {
            const double middle = 0.5 * (low + high);
            (load_at(r, middle) > row.bound ? low : high) = middle;
        }
        load_at(r, high);
    }

    void place() {
        std::copy(start_.begin(), start_.end(), x_.begin());
        for (std::size_t r = 0; r < rows_.size(); ++r)
            if (price_[r] > 0.0)
                for (std::size_t c = 0; c < x_.size(); ++c) x_[c] -= price_[r] * rows_[r].use[c];
        for (std::size_t i = 0; i < p_.demand.size(); ++i) project_group(rates_of(p_, x_, i), p_.demand[i], sorted_);
    }

    const LeafProblem& p_;
    std::span<double> x_;
    std::vector<double> start_;
    std::vector<Row> rows_;
    std::vector<double> price_;
    std::vector<double> sorted_;
};

}  // namespace

index_t project(const LeafProblem& p, std::span<double> x, std::span<const double> quota, double tolerance) {
    for (double& rate : x) rate = std::isfinite(rate) ? rate : 0.0;
    Projection projection(p, x, bounded_rows(p, quota, 1.0));
    index_t sweeps = 1;
    while (projection.sweep() > tolerance && sweeps < kSweeps) ++sweeps;
    repair(p, x, quota);
    return sweeps;
}

}  // namespace tiertwin::alloc
