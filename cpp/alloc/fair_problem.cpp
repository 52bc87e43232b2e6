#include "alloc/fair_problem.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "alloc/formulas.hpp"
#include "base/error.hpp"

namespace tiertwin::alloc {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::vector<double> checked(const char* name, std::span<const double> values, std::size_t count, const char* of,
                            bool endless) {
    require_length(name, values.size(), count, of);
    for (std::size_t i = 0; i < values.size(); ++i)
        if (!(values[i] >= 0.0) || (!endless && std::isinf(values[i])))
            refuse_number(name, i, endless ? "a number >= 0 or infinity" : "a finite number >= 0", values[i]);
    return {values.begin(), values.end()};
}

// The most option k can carry; 0 when one of its resources has no capacity.
double reach(const FairProblem& p, std::size_t k) {
    double most = kInfinity;
    for (std::size_t e = p.options.of_option[k]; e < p.options.of_option[k + 1]; ++e)
        if (p.options.use[e] > 0.0) most = std::min(most, p.capacity[p.options.resource[e]] / p.options.use[e]);
    return most;
}

double service(const FairProblem& p, std::size_t u, std::span<const double> x) {
    double sum = 0.0;
    for (std::size_t k = p.options.of_user[u]; k < p.options.of_user[u + 1]; ++k) sum += x[k];
    return sum;
}

}  // namespace

FairProblem::FairProblem(const Options& given, const FairArrays& arrays) : options(given) {
    const auto users = static_cast<std::size_t>(options.users);
    demand = checked("demand", arrays.demand, users, "user", true);
    weight = checked("weight", arrays.weight, users, "user", false);
    alpha = checked("alpha", arrays.alpha, users, "user", false);
    capacity = checked("capacity", arrays.capacity, static_cast<std::size_t>(options.resources), "resource", true);
    if (!arrays.cost.empty()) cost = checked("cost", arrays.cost, options.options(), "option", false);
    open.resize(options.options());
    most.resize(users);
    for (std::size_t u = 0; u < users; ++u) {
        double sum = 0.0;
        for (std::size_t k = options.of_user[u]; k < options.of_user[u + 1]; ++k) {
            const double own = demand[u] > 0.0 && weight[u] > 0.0 ? reach(*this, k) : 0.0;
            open[k] = own > 0.0;
            sum += own;
        }
        most[u] = std::min(sum, weight[u] > 0.0 ? demand[u] : 0.0);
        if (std::isinf(most[u]))
            throw InvalidArgument("demand[" + std::to_string(u) +
                                  "]: expected a finite number, since an option of this user uses no limited resource");
    }
}

FairWorth evaluate(const FairProblem& p, std::span<const double> x, std::span<double> load) {
    FairWorth out;
    std::fill(load.begin(), load.end(), 0.0);
    Sum value, scale;
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
        if (p.most[u] == 0.0) continue;
        value.add(p.weight[u] * utility(std::max(served, 0.0), p.alpha[u]));
        scale.add(p.weight[u] * marginal_scale(std::max(served, 0.0), p.alpha[u]));
    }
    for (std::size_t r = 0; r < load.size(); ++r)
        if (load[r] > p.capacity[r])
            report(p.capacity[r] > 0.0 ? load[r] / p.capacity[r] - 1.0 : kInfinity, Fault::own_capacity, r);
    out.value = value.value();
    out.scale = scale.value();
    return out;
}

double price_bound(const FairProblem& p, std::span<const double> given) {
    std::vector<double> price(given.size());
    Sum bound;
    double size = 0.0;  // sum of magnitudes: the rounding of the sums above is within a few units of its last place
    for (std::size_t r = 0; r < given.size(); ++r) {
        if (!std::isfinite(p.capacity[r])) continue;  // costs nothing; 0 times infinity is no number
        price[r] = std::isfinite(given[r]) ? std::max(given[r], 0.0) : 0.0;
        bound.add(price[r] * p.capacity[r]);
        size += price[r] * p.capacity[r];
    }
    for (std::size_t u = 0; u < p.most.size(); ++u) {
        if (p.most[u] == 0.0) continue;
        double cheapest = kInfinity;
        for (std::size_t k = p.options.of_user[u]; k < p.options.of_user[u + 1]; ++k)
            if (p.open[k]) cheapest = std::min(cheapest, p.cost_of(k) + p.options.priced(k, price));
        const double share =
            best_share(p.weight[u] * std::exp(-p.alpha[u] * std::log(p.most[u])), cheapest, p.alpha[u]);
        const double gain = p.weight[u] * utility(share * p.most[u], p.alpha[u]);
        const double paid = share * p.most[u] * cheapest;
        bound.add(gain);
        bound.add(-paid);
        size += std::abs(gain) + paid;
    }
    return bound.value() + 8.0 * std::numeric_limits<double>::epsilon() * size;
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
        load[r] = load[r] > p.capacity[r] ? p.capacity[r] / load[r] : 1.0;  // from here on a factor
    for (std::size_t k = 0; k < x.size(); ++k) {
        double factor = 1.0;
        for (std::size_t e = p.options.of_option[k]; e < p.options.of_option[k + 1]; ++e)
            if (p.options.use[e] > 0.0) factor = std::min(factor, load[p.options.resource[e]]);
        x[k] *= factor;
    }
}

}  // namespace tiertwin::alloc
