#include "alloc/cut.hpp"

#include <algorithm>
#include <vector>

#include "alloc/formulas.hpp"

namespace tiertwin::alloc {

namespace {

// Eight units in the last place: U costs expm1 and log of at most one each, the compensated sum about two.
constexpr double kRoundUp = 8 * std::numeric_limits<double>::epsilon();

void add_row(std::vector<double>& price, std::span<const double> row, double unit_price) {
    if (unit_price > 0.0)
        for (std::size_t c = 0; c < price.size(); ++c) price[c] += unit_price * row[c];
}

}  // namespace

Cut cut(const LeafProblem& p, std::span<const double> quota_price, std::span<const double> own_price) {
    std::vector<double> price(p.cost);
    for (std::size_t k = 0; k < own_price.size(); ++k) add_row(price, p.own_row(static_cast<index_t>(k)), own_price[k]);
    for (std::size_t j = 0; j < quota_price.size(); ++j)
        add_row(price, p.quota_row(static_cast<index_t>(j)), quota_price[j]);

    Sum phi, drift, magnitude;
    const auto tiers = static_cast<std::size_t>(p.tiers);
    for (std::size_t i = 0; i < p.demand.size(); ++i) {
        const auto first = price.begin() + static_cast<std::ptrdiff_t>(i * tiers);
        const double cheapest = *std::min_element(first, first + static_cast<std::ptrdiff_t>(tiers));
        const double share = best_share(p.weight[i], cheapest, p.alpha[i]);
        const double gain = worth(p.weight[i], share, p.alpha[i]), paid = cheapest * share;
        phi.add(p.demand[i] * (gain - paid));
        drift.add(p.demand[i] * std::abs(gain - paid));
        magnitude.add(p.demand[i] * (std::abs(gain) + paid));
    }
    for (std::size_t k = 0; k < own_price.size(); ++k) {
        const double rent = delay_conjugate(own_price[k], p.capacity[k], p.kappa[k]);
        phi.add(rent);
        magnitude.add(own_price[k] > 0.0 ? own_price[k] * p.capacity[k] : 0.0);
    }
    return {phi.value() + kRoundUp * magnitude.value(), drift.value()};
}

}  // namespace tiertwin::alloc
