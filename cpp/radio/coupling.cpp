#include "radio/coupling.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/error.hpp"

namespace tiertwin::radio {
namespace {

void check(const Links& links, std::span<const double> demand, const CouplingRules& rules) {
    check(rules.rate);
    if (!(rules.tolerance > 0.0)) {
        throw InvalidArgument("Expected a tolerance above 0, got " + std::to_string(rules.tolerance));
    }
    if (rules.most_iterations < 1) {
        throw InvalidArgument("Expected 1 iteration or more, got " + std::to_string(rules.most_iterations));
    }
    if (static_cast<index_t>(demand.size()) != links.users()) {
        throw InvalidArgument("Expected a demand of each of " + std::to_string(links.users()) + " users, got " +
                              std::to_string(demand.size()));
    }
    for (std::size_t u = 0; u < demand.size(); ++u) {
        if (!(demand[u] >= 0.0 && std::isfinite(demand[u]))) {
            throw InvalidArgument("user " + std::to_string(u) + ": expected a demand of 0 bit/s or more, got " +
                                  std::to_string(demand[u]));
        }
    }
}

// The right side before the min with 1.
void wanted_under(const Links& links, std::span<const double> demand, const RateRules& rate,
                  std::span<const double> load, std::vector<double>& ratio, std::vector<double>& wanted) {
    links.ratio(load, ratio);
    std::fill(wanted.begin(), wanted.end(), 0.0);
    for (std::size_t u = 0; u < demand.size(); ++u) {
        const std::int32_t cell = links.serving_cell()[u];
        if (cell < 0 || demand[u] == 0.0) continue;
        const double per_hz = std::min(rate.efficiency * std::log2(1.0 + ratio[u]), rate.cap);
        wanted[static_cast<std::size_t>(cell)] += demand[u] / (links.bandwidth()[u] * per_hz);
    }
}

}  // namespace

Coupling coupled_loads(const Links& links, std::span<const double> demand, const CouplingRules& rules) {
    check(links, demand, rules);
    Coupling found;
    const auto cells = static_cast<std::size_t>(links.cells());
    found.load.assign(cells, 0.0);
    found.wanted.assign(cells, 0.0);
    std::vector<double> ratio(demand.size());
    for (;;) {
        wanted_under(links, demand, rules.rate, found.load, ratio, found.wanted);
        ++found.iterations;
        found.residual = 0.0;
        for (std::size_t c = 0; c < cells; ++c) {
            found.residual = std::max(found.residual, std::abs(std::min(found.wanted[c], 1.0) - found.load[c]));
        }
        found.converged = found.residual <= rules.tolerance;
        if (found.converged || found.iterations == rules.most_iterations) break;
        for (std::size_t c = 0; c < cells; ++c) found.load[c] = std::min(found.wanted[c], 1.0);
    }
    for (std::size_t c = 0; c < cells; ++c) {
        if (found.wanted[c] >= 1.0) found.saturated.push_back(static_cast<std::int32_t>(c));
    }
    for (std::size_t u = 0; u < demand.size(); ++u) found.unserved += demand[u] > 0.0 && links.serving_cell()[u] < 0;
    return found;
}

}  // namespace tiertwin::radio
