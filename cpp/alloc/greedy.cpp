#include <algorithm>
#include <numeric>
#include <vector>

#include "alloc/repair.hpp"
#include "alloc/rows.hpp"

namespace tiertwin::alloc {

namespace {

// Own resources are filled so far: beyond it the delay term grows faster than most offers are worth.
constexpr double kFilling = 0.8;

struct Offer {
    double merit;  // utility saved per share of the scarcest resource spent
    std::size_t group, cell;
};

// Offers better than the device, best first. Merit counts each use as a share of its bound.
std::vector<Offer> offers(const LeafProblem& p, const std::vector<Row>& rows) {
    std::vector<Offer> list;
    for (std::size_t i = 0; i < p.demand.size(); ++i)
        for (std::size_t t = 1; t < static_cast<std::size_t>(p.tiers); ++t) {
            const std::size_t device = first_cell(p, i), cell = device + t;
            const double saving = std::max(p.weight[i], p.cost[device]) - p.cost[cell];
            double spent = 1e-300;
            for (const Row& row : rows)
                spent += row.use[cell] > 0.0 ? row.use[cell] / std::max(row.bound, 1e-300) : 0.0;
            if (saving > 0.0 && p.demand[i] > 0.0 && spent < 1e290) list.push_back({saving / spent, i, cell});
        }
    std::sort(list.begin(), list.end(),
              [](const Offer& a, const Offer& b) { return a.merit != b.merit ? a.merit > b.merit : a.cell < b.cell; });
    return list;
}

}  // namespace

void greedy(const LeafProblem& p, std::span<const double> quota, std::span<double> x) {
    const std::vector<Row> rows = bounded_rows(p, quota);
    std::vector<double> left;
    for (const Row& row : rows) left.push_back(row.bound * (left.size() < p.capacity.size() ? kFilling : 1.0));
    std::fill(x.begin(), x.end(), 0.0);
    std::vector<double> unserved(p.demand);
    for (const Offer& offer : offers(p, rows)) {
        double rate = unserved[offer.group];
        for (std::size_t r = 0; r < rows.size(); ++r)
            if (rows[r].use[offer.cell] > 0.0) rate = std::min(rate, left[r] / rows[r].use[offer.cell]);
        if (rate <= 0.0) continue;
        x[offer.cell] += rate;
        unserved[offer.group] -= rate;
        for (std::size_t r = 0; r < rows.size(); ++r) left[r] = std::max(0.0, left[r] - rate * rows[r].use[offer.cell]);
    }
    for (std::size_t i = 0; i < p.demand.size(); ++i) {
        const auto rates = rates_of(p, x, i);
        rates[0] += device_room(p, i, std::accumulate(rates.begin(), rates.end(), 0.0));
    }
    repair(p, x, quota);
}

}  // namespace tiertwin::alloc
