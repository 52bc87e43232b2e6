#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "alloc/evaluate.hpp"
#include "alloc/repair.hpp"
#include "alloc/rows.hpp"

namespace tiertwin::alloc {

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

    // One pass over the rows; returns the largest excess left, or slack of a row that has a price, relative to its
    // bound.
    double sweep() {
        for (std::size_t r = 0; r < rows_.size(); ++r) settle(r);
        double worst = 0.0;
        for (std::size_t r = 0; r < rows_.size(); ++r) {
            const double excess = (load_of(rows_[r].use, x_) - rows_[r].bound) / scale(rows_[r]);
            worst = std::max(worst, price_[r] > 0.0 ? std::abs(excess) : excess);
        }
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
    Projection projection(p, x, bounded_rows(p, quota));
    index_t sweeps = 1;
    while (projection.sweep() > tolerance && sweeps < kSweeps) ++sweeps;
    repair(p, x, quota);
    return sweeps;
}

}  // namespace tiertwin::alloc
