#include "alloc/leaf_problem.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/error.hpp"

namespace tiertwin::alloc {

namespace {

void require_size(const char* name, std::size_t came, std::size_t expected) {
    if (came != expected)
        throw InvalidArgument(std::string(name) + ": expected " + std::to_string(expected) + " numbers, got " +
                              std::to_string(came) +
                              ". Shapes: demand, weight, alpha [G], cost [G,T], use_own [K,G,T], "
                              "capacity, kappa [K], use_quota [J,G,T].");
}

void require_nonnegative(const char* name, std::span<const double> values) {
    for (std::size_t i = 0; i < values.size(); ++i)
        if (!(values[i] >= 0.0 && std::isfinite(values[i])))
            throw InvalidArgument(std::string(name) + ": expected finite numbers >= 0, got " +
                                  std::to_string(values[i]) + " at flat index " + std::to_string(i));
}

// Throws when a row uses the device column; returns the load at full demand on the dearest tier, per row.
std::vector<double> row_maxima(const char* name, std::span<const double> rows, index_t count,
                               std::span<const double> demand, std::size_t tiers) {
    const std::size_t cells = demand.size() * tiers;
    std::vector<double> maxima(static_cast<std::size_t>(count), 0.0);
    for (std::size_t r = 0; r < maxima.size(); ++r)
        for (std::size_t i = 0; i < demand.size(); ++i) {
            const auto uses = rows.subspan(r * cells + i * tiers, tiers);
            if (uses[0] != 0.0)
                throw InvalidArgument(std::string(name) + "[" + std::to_string(r) + ", " + std::to_string(i) +
                                      ", 0]: the device tier uses no shared resource, expected 0, got " +
                                      std::to_string(uses[0]));
            maxima[r] += demand[i] * *std::max_element(uses.begin(), uses.end());
        }
    return maxima;
}

std::vector<double> owned(std::span<const double> values) { return {values.begin(), values.end()}; }

}  // namespace

LeafProblem::LeafProblem(const LeafArrays& a, index_t tier_count, index_t quota_count)
    : groups(static_cast<index_t>(a.demand.size())),
      tiers(tier_count),
      own(static_cast<index_t>(a.capacity.size())),
      quotas(quota_count),
      demand(owned(a.demand)),
      weight(owned(a.weight)),
      alpha(owned(a.alpha)),
      cost(owned(a.cost)),
      use_own(owned(a.use_own)),
      capacity(owned(a.capacity)),
      kappa(owned(a.kappa)),
      use_quota(owned(a.use_quota)) {
    if (tiers < 1) throw InvalidArgument("cost: expected at least one tier (the device), got none");
    const std::size_t g = demand.size(), cell_count = g * static_cast<std::size_t>(tiers);
    require_size("weight", weight.size(), g);
    require_size("alpha", alpha.size(), g);
    require_size("cost", cost.size(), cell_count);
    require_size("kappa", kappa.size(), capacity.size());
    require_size("use_own", use_own.size(), capacity.size() * cell_count);
    require_size("use_quota", use_quota.size(), static_cast<std::size_t>(quotas) * cell_count);
    require_nonnegative("demand", demand);
    require_nonnegative("weight", weight);
    require_nonnegative("alpha", alpha);
    require_nonnegative("cost", cost);
    require_nonnegative("use_own", use_own);
    require_nonnegative("capacity", capacity);
    require_nonnegative("kappa", kappa);
    require_nonnegative("use_quota", use_quota);
    load_max = row_maxima("use_own", use_own, own, demand, static_cast<std::size_t>(tiers));
    quota_max = row_maxima("use_quota", use_quota, quotas, demand, static_cast<std::size_t>(tiers));
}

}  // namespace tiertwin::alloc
