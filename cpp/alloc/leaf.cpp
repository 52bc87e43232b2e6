#include "alloc/leaf.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "alloc/repair.hpp"
#include "base/error.hpp"

namespace tiertwin::alloc {

namespace {

void require(const char* name, std::span<const double> values, index_t expected, bool infinity_allowed) {
    if (static_cast<index_t>(values.size()) != expected)
        throw InvalidArgument(std::string(name) + ": expected " + std::to_string(expected) +
                              " numbers (one a quota component), got " + std::to_string(values.size()));
    for (double value : values)
        if (!(value >= 0.0) || (!infinity_allowed && std::isinf(value)))
            throw InvalidArgument(std::string(name) + ": expected numbers >= 0, got " + std::to_string(value));
}

double inner(std::span<const double> a, std::span<const double> b) {
    double sum = 0.0;
    for (std::size_t j = 0; j < a.size(); ++j)
        if (a[j] != 0.0) sum += a[j] * b[j];
    return sum;
}

// What a solver that went astray may not pass on.
void clip_prices(std::vector<double>& prices) {
    for (double& price : prices) price = std::isfinite(price) && price > 0.0 ? price : 0.0;
}

}  // namespace

Answer Leaf::solve_quota(std::span<const double> quota, index_t iteration_limit) {
    require("quota", quota, problem_.quotas, true);
    if (!by_quota_) by_quota_ = InteriorPoint::make(problem_, true);
    return finish(by_quota_->solve(quota, {}, iteration_limit, kTolerance), quota, {});
}

Answer Leaf::solve_price(std::span<const double> price, index_t iteration_limit) {
    require("price", price, problem_.quotas, false);
    if (!by_price_) by_price_ = InteriorPoint::make(problem_, false);
    return finish(by_price_->solve({}, price, iteration_limit, kTolerance), {}, price);
}

Answer Leaf::finish(Suggestion s, std::span<const double> quota, std::span<const double> price) {
    Answer a;
    a.x = std::move(s.x);
    a.own_price = std::move(s.own_price);
    a.quota_price = price.empty() ? std::move(s.quota_price) : std::vector<double>(price.begin(), price.end());
    clip_prices(a.own_price);
    clip_prices(a.quota_price);
    a.iterations = s.iterations;
    repair(problem_, a.x, quota);
    a.use.resize(static_cast<std::size_t>(problem_.quotas));
    a.own_load.resize(static_cast<std::size_t>(problem_.own));
    a.worth = evaluate(problem_, a.x, quota, a.use, a.own_load);
    a.phi = cut(problem_, a.quota_price, a.own_price).phi;
    const double granted = quota.empty() ? inner(a.quota_price, a.use) : 0.0;
    double bound = a.phi + granted;
    for (std::size_t j = 0; j < quota.size(); ++j)
        bound += a.quota_price[j] > 0.0 ? a.quota_price[j] * std::min(quota[j], problem_.quota_max[j]) : 0.0;
    const double scale = std::max(a.worth.scale, kLeastScale * inner(problem_.demand, problem_.weight));
    a.gap = scale > 0.0 ? (bound - a.worth.value) / scale : 0.0;
    return a;
}

}  // namespace tiertwin::alloc
