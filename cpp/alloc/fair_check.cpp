// The checker, the bound and the repair of fair_problem.hpp.
#include <algorithm>
#include <cmath>
#include <limits>

#include "alloc/fair_problem.hpp"
#include "alloc/formulas.hpp"
#include "base/infinity.hpp"

namespace tiertwin::alloc {

namespace {

constexpr double kLinear = 1e-9;  // exponents below it: service jumps where the price is the weight

double service(const FairProblem& p, std::size_t u, std::span<const double> x) {
    double sum = 0.0;
    for (std::size_t k = p.options.of_user[u]; k < p.options.of_user[u + 1]; ++k) sum += x[k];
    return sum;
}

// A sum that knows how large its terms were: its rounding is within a few units of the last place of that.
struct SizedSum {
    Sum sum;
    double size = 0.0;

    void add(double term) {
        sum.add(term);
        size += std::abs(term);
    }
    [[nodiscard]] double above() const { return sum.value() + 8.0 * std::numeric_limits<double>::epsilon() * size; }
};

double usable(double price) { return std::isfinite(price) ? std::max(price, 0.0) : 0.0; }

// max over loads of price load - D(load)
void add_resource(const FairProblem& p, std::size_t r, double price, SizedSum& bound) {
    if (price == 0.0) return;
    if (p.delay_of(r) == 0.0) return bound.add(price * p.capacity[r]);
    bound.add(delay_conjugate(price, p.capacity[r], p.delay[r]));
    bound.size += price * p.limit[r];
}

// max over the service of a user, its cheapest option costing `dear`, of which its floor pays `paid`. A rounding error
// of the price counts as often as there is service; that may be all of it where the price is next to a jump: 0, or the
// weight of a linear user.
void add_user(const FairProblem& p, std::size_t u, double dear, double paid, SizedSum& bound) {
    const double w = p.weight[u], alpha = p.alpha[u], most = p.most[u], cheapest = dear - paid;
    double share = cheapest < 0.0 ? 1.0 : 0.0;
    if (w > 0.0 && cheapest >= 0.0)
        share = best_share(alpha == 0.0 ? w : w * std::exp(-alpha * std::log(most)), cheapest, alpha);
    if (w > 0.0) bound.add(w * service_utility(share * most, alpha));
    bound.add(-share * most * cheapest);
    const double near = 64.0 * std::numeric_limits<double>::epsilon() * (dear + paid);
    const bool jumps = std::abs(cheapest) <= near || (alpha < kLinear && std::abs(cheapest - w) <= near);
    if (paid > 0.0 || jumps) bound.size += 2.0 * (jumps ? 1.0 : share) * most * (dear + paid);
}

}  // namespace

FairWorth evaluate(const FairProblem& p, std::span<const double> x, std::span<double> load,
                   std::span<double> shortfall) {
    FairWorth out;
    std::fill(load.begin(), load.end(), 0.0);
    Sum value, scale;
    std::vector<Sum> served_for(p.floor.size());
    bool weighed = false;
    const auto report = [&](double violation, Fault fault, std::size_t index) {
        if (violation <= out.violation) return;
        out.violation = violation;
        out.fault = fault;
        out.index = static_cast<index_t>(index);
    };
    for (std::size_t u = 0; u < p.most.size(); ++u) {
        double served = 0.0;
        for (std::size_t k = p.options.of_user[u]; k < p.options.of_user[u + 1]; ++k) {
            if (!std::isfinite(x[k])) report(kInfinity, Fault::not_finite, k);
            if (x[k] < 0.0) report(-x[k] / std::max(p.most[u], std::numeric_limits<double>::min()), Fault::negative, k);
            served += x[k];
            value.add(-p.cost_of(k) * x[k]);
            p.options.add_load(k, x[k], load);
        }
        if (served > p.demand[u]) report(p.demand[u] > 0.0 ? served / p.demand[u] - 1.0 : kInfinity, Fault::demand, u);
        if (p.floor_at(u) >= 0) served_for[static_cast<std::size_t>(p.floor_at(u))].add(std::max(served, 0.0));
        if (p.most[u] == 0.0 || p.weight[u] == 0.0) continue;
        weighed = true;
        value.add(p.weight[u] * service_utility(std::max(served, 0.0), p.alpha[u]));
        scale.add(p.weight[u] * service_scale(std::max(served, 0.0), p.alpha[u]));
    }
    for (std::size_t r = 0; r < load.size(); ++r) {
        value.add(-delay_cost(load[r], p.capacity[r], p.delay_of(r)));
        if (load[r] > p.limit[r])
            report(p.limit[r] > 0.0 ? load[r] / p.limit[r] - 1.0 : kInfinity, Fault::own_capacity, r);
    }
    for (std::size_t s = 0; s < p.floor.size(); ++s) {
        shortfall[s] = std::max(0.0, p.floor[s] - served_for[s].value());
        value.add(-p.penalty[s] * shortfall[s]);
        scale.add(p.penalty[s] * (weighed ? shortfall[s] : p.floor[s]));
    }
    out.value = value.value();
    out.scale = scale.value();
    return out;
}

double price_bound(const FairProblem& p, const FairPrices& given) {
    std::vector<double> price(given.resource.size()), pays(p.floor.size());
    SizedSum bound;
    for (std::size_t r = 0; r < price.size(); ++r) {
        price[r] = std::isfinite(p.capacity[r]) ? usable(given.resource[r]) : 0.0;
        add_resource(p, r, price[r], bound);
    }
    for (std::size_t s = 0; s < pays.size(); ++s) {
        pays[s] = given.floor.empty() ? 0.0 : std::min(usable(given.floor[s]), p.penalty[s]);
        bound.add(-pays[s] * std::min(p.floor[s], p.floor_most[s]));
        bound.add(-p.penalty[s] * std::max(0.0, p.floor[s] - p.floor_most[s]));
        bound.size += p.penalty[s] * p.floor[s];
    }
    for (std::size_t u = 0; u < p.most.size(); ++u) {
        if (p.most[u] == 0.0) continue;
        double cheapest = kInfinity;
        for (std::size_t k = p.options.of_user[u]; k < p.options.of_user[u + 1]; ++k)
            if (p.open[k]) cheapest = std::min(cheapest, p.cost_of(k) + p.options.priced(k, price));
        add_user(p, u, cheapest, p.floor_at(u) < 0 ? 0.0 : pays[static_cast<std::size_t>(p.floor_at(u))], bound);
    }
    return bound.above();
}

void fit(const FairProblem& p, std::span<double> x) {
    std::vector<double> load(p.capacity.size());
    for (std::size_t u = 0; u < p.most.size(); ++u) {
        for (std::size_t k = p.options.of_user[u]; k < p.options.of_user[u + 1]; ++k)
            x[k] = p.open[k] && p.most[u] > 0.0 && std::isfinite(x[k]) ? std::max(x[k], 0.0) : 0.0;
        const double served = service(p, u, x), factor = served > p.most[u] ? p.most[u] / served : 1.0;
        for (std::size_t k = p.options.of_user[u]; k < p.options.of_user[u + 1]; ++k) {
            x[k] *= factor;
            p.options.add_load(k, x[k], load);
        }
    }
    for (std::size_t r = 0; r < load.size(); ++r)
        load[r] = load[r] > p.limit[r] ? p.limit[r] / load[r] : 1.0;  // from here on a factor
    for (std::size_t k = 0; k < x.size(); ++k) {
        double factor = 1.0;
        for (std::size_t e = p.options.of_option[k]; e < p.options.of_option[k + 1]; ++e)
            if (p.options.use[e] > 0.0) factor = std::min(factor, load[p.options.resource[e]]);
        x[k] *= factor;
    }
}

}  // namespace tiertwin::alloc
