#include "alloc/evaluate.hpp"

#include "alloc/formulas.hpp"

namespace tiertwin::alloc {

namespace {

// Remembers the largest violation; the first one wins a tie.
void note(Evaluation& e, double violation, Fault fault, std::size_t index) {
    if (violation > e.violation) {
        e.violation = violation;
        e.fault = fault;
        e.index = static_cast<index_t>(index);
    }
}

// Excess of `amount` over `bound`, relative to the bound, or to `scale` where nothing is allowed.
double excess(double amount, double bound, double scale) {
    if (amount <= bound) return 0.0;
    if (bound > 0.0) return (amount - bound) / bound;
    return amount / (scale > 0.0 ? scale : 1.0);
}

void add_groups(const LeafProblem& p, std::span<const double> x, double growth, Sum& value, Sum& scale, Evaluation& e) {
    const auto tiers = static_cast<std::size_t>(p.tiers);
    for (std::size_t i = 0; i < p.demand.size(); ++i) {
        const double demand = p.demand[i] * (1.0 + growth);
        double served = 0.0;
        for (std::size_t t = 0; t < tiers; ++t) {
            const double rate = x[i * tiers + t];
            if (!std::isfinite(rate))
                return note(e, std::numeric_limits<double>::infinity(), Fault::not_finite, i * tiers + t);
            if (rate < 0.0) note(e, demand > 0.0 ? -rate / demand : -rate, Fault::negative, i * tiers + t);
            served += rate;
            value.add(-p.cost[i * tiers + t] * rate);
        }
        note(e, excess(served, demand, 1.0), Fault::demand, i);
        if (demand <= 0.0 || p.weight[i] <= 0.0) continue;
        const double share = std::clamp(served / demand, 0.0, 1.0);
        value.add(demand * worth(p.weight[i], share, p.alpha[i]));
        scale.add(demand * p.weight[i] * marginal_scale(share, p.alpha[i]));
    }
}

}  // namespace

double load_of(std::span<const double> row, std::span<const double> x) {
    double load = 0.0;
    for (std::size_t c = 0; c < row.size(); ++c) load += row[c] * x[c];
    return load;
}

Evaluation evaluate(const LeafProblem& p, std::span<const double> x, std::span<const double> quota,
                    std::span<double> use, std::span<double> own_load) {
    Evaluation e;
    Sum value, scale;
    add_groups(p, x, 0.0, value, scale, e);
    for (std::size_t k = 0; k < own_load.size(); ++k) {
        own_load[k] = load_of(p.own_row(static_cast<index_t>(k)), x);
        value.add(-delay_cost(own_load[k], p.capacity[k], p.kappa[k]));
        note(e, excess(own_load[k], kLoadLimit * p.capacity[k], p.load_max[k]), Fault::own_capacity, k);
    }
    for (std::size_t j = 0; j < use.size(); ++j) {
        use[j] = load_of(p.quota_row(static_cast<index_t>(j)), x);
        if (!quota.empty()) note(e, excess(use[j], quota[j], p.quota_max[j]), Fault::quota, j);
    }
    e.value = value.value();
    e.scale = scale.value();
    return e;
}

double value_at_growth(const LeafProblem& p, std::span<const double> x, double growth) {
    Evaluation ignored;
    Sum value, scale;
    add_groups(p, x, growth, value, scale, ignored);
    for (std::size_t k = 0; k < p.capacity.size(); ++k)
        value.add(-delay_cost(load_of(p.own_row(static_cast<index_t>(k)), x), p.capacity[k], p.kappa[k]));
    return value.value();
}

}  // namespace tiertwin::alloc
