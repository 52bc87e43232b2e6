#include "alloc/fair_problem.hpp"

#include <algorithm>
#include <cmath>

#include "alloc/formulas.hpp"
#include "base/error.hpp"
#include "base/infinity.hpp"

namespace tiertwin::alloc {

namespace {

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
        if (p.options.use[e] > 0.0) most = std::min(most, p.limit[p.options.resource[e]] / p.options.use[e]);
    return most;
}

}  // namespace

FairProblem::FairProblem(const Options& given, const FairArrays& arrays) : options(given) {
    const auto users = static_cast<std::size_t>(options.users);
    const auto resources = static_cast<std::size_t>(options.resources);
    demand = checked("demand", arrays.demand, users, "user", true);
    weight = checked("weight", arrays.weight, users, "user", false);
    alpha = checked("alpha", arrays.alpha, users, "user", false);
    capacity = checked("capacity", arrays.capacity, resources, "resource", true);
    if (!arrays.cost.empty()) cost = checked("cost", arrays.cost, options.options(), "option", false);
    if (!arrays.delay.empty()) delay = checked("delay", arrays.delay, resources, "resource", false);
    limit = capacity;
    for (std::size_t r = 0; r < delay.size(); ++r) {
        if (capacity[r] == 0.0 || std::isinf(capacity[r])) delay[r] = 0.0;
        if (delay[r] > 0.0) limit[r] = kLoadLimit * capacity[r];
    }
    take_floors(arrays);
    open.resize(options.options());
    most.resize(users);
    for (std::size_t u = 0; u < users; ++u) {
        const std::int32_t s = floor_at(u);
        const bool wanted = demand[u] > 0.0 && (weight[u] > 0.0 || s >= 0);
        double sum = 0.0;
        for (std::size_t k = options.of_user[u]; k < options.of_user[u + 1]; ++k) {
            const double own = wanted ? reach(*this, k) : 0.0;
            open[k] = own > 0.0;
            sum += own;
        }
        most[u] = std::min(sum, wanted ? demand[u] : 0.0);
        if (std::isinf(most[u]))
            throw InvalidArgument("demand[" + std::to_string(u) +
                                  "]: expected a finite number, since an option of this user uses no limited resource");
        if (s >= 0) floor_most[static_cast<std::size_t>(s)] += most[u];
    }
}

void FairProblem::take_floors(const FairArrays& arrays) {
    if (arrays.floor_of.empty()) {
        require_length("floor", arrays.floor.size(), 0, "floor, and no user counts for any");
        return;
    }
    const std::size_t count = arrays.floor.size();
    require_length("floor_of", arrays.floor_of.size(), static_cast<std::size_t>(options.users), "user");
    floor = checked("floor", arrays.floor, count, "floor", false);
    penalty = checked("penalty", arrays.penalty, count, "floor", false);
    floor_most.resize(count);
    floor_of.resize(arrays.floor_of.size());
    for (std::size_t u = 0; u < floor_of.size(); ++u) {
        const index_t s = arrays.floor_of[u];
        if (s < -1 || s >= static_cast<index_t>(count))
            throw InvalidArgument("floor_of[" + std::to_string(u) + "]: expected -1.." + std::to_string(count) +
                                  " - 1, got " + std::to_string(s));
        const auto at = static_cast<std::size_t>(std::max<index_t>(s, 0));
        floor_of[u] = s >= 0 && floor[at] > 0.0 && penalty[at] > 0.0 ? static_cast<std::int32_t>(s) : -1;
    }
}

}  // namespace tiertwin::alloc
