#include "alloc/routing_problem.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "alloc/formulas.hpp"
#include "base/error.hpp"
#include "base/infinity.hpp"

namespace tiertwin::alloc {

namespace {

// to_string writes 1e-9 as 0.000000 and 1e12 with six zeros behind the point.
std::string written(double value) {
    std::array<char, 32> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::general, 6).ptr;
    return {text.data(), end};
}

bool is_open(const RoutingProblem& p, std::size_t k) {
    for (std::size_t e = p.options.of_option[k]; e < p.options.of_option[k + 1]; ++e)
        if (p.options.use[e] > 0.0 && p.capacity[p.options.resource[e]] <= 0.0) return false;
    return true;
}

}  // namespace

RoutingProblem::RoutingProblem(const Options& given, std::span<const double> demands,
                               std::span<const double> capacities)
    : options(given), demand(demands.begin(), demands.end()), capacity(capacities.begin(), capacities.end()) {
    require_length("demand", demand.size(), static_cast<std::size_t>(options.users), "user");
    require_length("capacity", capacity.size(), static_cast<std::size_t>(options.resources), "resource");
    for (std::size_t u = 0; u < demand.size(); ++u)
        if (!(demand[u] >= 0.0) || std::isinf(demand[u])) refuse_number("demand", u, "a finite number >= 0", demand[u]);
    for (std::size_t r = 0; r < capacity.size(); ++r)
        if (!(capacity[r] >= 0.0)) refuse_number("capacity", r, "a number >= 0 or infinity", capacity[r]);
    open.resize(options.options());
    for (std::size_t u = 0; u < demand.size(); ++u) {
        bool any = false;
        for (std::size_t k = options.of_user[u]; k < options.of_user[u + 1]; ++k) {
            open[k] = is_open(*this, k);
            any = any || open[k];
        }
        if (!any && demand[u] > 0.0)
            throw InvalidArgument("demand[" + std::to_string(u) + "]: " + written(demand[u]) + " cannot be routed: " +
                                  (options.of_user[u] == options.of_user[u + 1]
                                       ? "this user has no option"
                                       : "every option uses a resource without capacity"));
    }
}

RoutingWorth evaluate(const RoutingProblem& p, std::span<const double> share, std::span<double> load) {
    RoutingWorth out;
    const auto report = [&](double violation, Fault fault, std::size_t index) {
        if (violation <= out.violation) return;
        out.violation = violation;
        out.fault = fault;
        out.index = static_cast<index_t>(index);
    };
    std::fill(load.begin(), load.end(), 0.0);
    for (std::size_t u = 0; u < p.demand.size(); ++u) {
        double sum = 0.0;
        for (std::size_t k = p.options.of_user[u]; k < p.options.of_user[u + 1]; ++k) {
            if (!std::isfinite(share[k])) report(kInfinity, Fault::not_finite, k);
            report(-share[k], Fault::negative, k);
            sum += share[k];
            if (share[k] != 0.0) p.options.add_load(k, share[k] * p.demand[u], load);
        }
        if (p.demand[u] > 0.0) report(std::abs(sum - 1.0), Fault::demand, u);
    }
    for (std::size_t r = 0; r < load.size(); ++r)
        if (load[r] > 0.0)
            out.utilisation = std::max(out.utilisation, p.capacity[r] > 0.0 ? load[r] / p.capacity[r] : kInfinity);
    return out;
}

double price_bound(const RoutingProblem& p, std::span<const double> given) {
    std::vector<double> price(given.size());
    Sum total, bound;
    for (std::size_t r = 0; r < given.size(); ++r) {
        const bool counts = std::isfinite(given[r]) && given[r] > 0.0 && std::isfinite(p.capacity[r]);
        price[r] = counts ? given[r] : 0.0;
        if (counts) total.add(price[r] * p.capacity[r]);
    }
    if (!(total.value() > 0.0) || !std::isfinite(total.value())) return 0.0;
    for (std::size_t u = 0; u < p.demand.size(); ++u) {
        if (p.demand[u] == 0.0) continue;
        double cheapest = kInfinity;
        for (std::size_t k = p.options.of_user[u]; k < p.options.of_user[u + 1]; ++k)
            if (p.open[k]) cheapest = std::min(cheapest, p.options.priced(k, price));
        bound.add(p.demand[u] * cheapest);
    }
    // every term is >= 0 and off by a unit or so an entry of its option
    return bound.value() / total.value() * (1.0 - 64.0 * std::numeric_limits<double>::epsilon());
}

void fit(const RoutingProblem& p, std::span<double> share) {
    for (std::size_t u = 0; u < p.demand.size(); ++u) {
        double sum = 0.0, count = 0.0;
        for (std::size_t k = p.options.of_user[u]; k < p.options.of_user[u + 1]; ++k) {
            share[k] = p.open[k] && p.demand[u] > 0.0 && std::isfinite(share[k]) ? std::max(share[k], 0.0) : 0.0;
            sum += share[k];
            count += p.open[k];
        }
        if (p.demand[u] == 0.0) continue;
        for (std::size_t k = p.options.of_user[u]; k < p.options.of_user[u + 1]; ++k)
            share[k] = sum > 0.0 ? share[k] / sum : (p.open[k] ? 1.0 / count : 0.0);
    }
}

}  // namespace tiertwin::alloc
