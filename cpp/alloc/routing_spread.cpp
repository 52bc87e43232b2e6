#include "alloc/routing_spread.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tiertwin::alloc {

namespace {

constexpr double kEmpty = 1e-9;    // of the fullest: less counts as so much, to keep slopes above 0
constexpr double kDust = 1e-9;     // share of a demand: less does not stay behind
constexpr double kWorthIt = 1e-3;  // options whose prices differ by less are left as they are

double power_of(double x, int n) {
    for (int i = 1; i < n; i *= 2) x *= x;
    return x;
}

// Slope of the difference in price between two options as demand moves from one to the other; what they share stays.
double bend_between(const Options& o, std::uint32_t a, std::uint32_t b, std::span<const double> bend) {
    double sum = 0.0;
    std::uint32_t i = o.of_option[a], j = o.of_option[b];
    const std::uint32_t last_i = o.of_option[a + 1], last_j = o.of_option[b + 1];
    while (i < last_i && j < last_j) {
        const std::uint32_t r = o.resource[i], s = o.resource[j];
        const double use = (r <= s ? o.use[i] : 0.0) - (s <= r ? o.use[j] : 0.0);
        sum += use * use * bend[std::min(r, s)];
        i += r <= s;
        j += s <= r;
    }
    for (; i < last_i; ++i) sum += o.use[i] * o.use[i] * bend[o.resource[i]];
    for (; j < last_j; ++j) sum += o.use[j] * o.use[j] * bend[o.resource[j]];
    return sum;
}

}  // namespace

Levelling::Levelling(const RoutingProblem& problem)
    : p_(problem),
      inverse_(problem.capacity.size()),
      scaled_(inverse_.size()),
      price_(inverse_.size()),
      bend_(inverse_.size()) {
    for (std::size_t r = 0; r < inverse_.size(); ++r)
        if (p_.capacity[r] > 0.0 && std::isfinite(p_.capacity[r])) inverse_[r] = 1.0 / p_.capacity[r];
}

void Levelling::refresh(std::size_t r, double load, int power) {
    const double filled = std::max(load * scaled_[r], kEmpty), price = power_of(filled, power) * scaled_[r];
    price_[r] = price;
    bend_[r] = power * price / filled * scaled_[r];
}

// Prices of all resources; false if nothing is loaded.
bool Levelling::scale(std::span<const double> load, int power) {
    double top = 0.0;
    for (std::size_t r = 0; r < load.size(); ++r) top = std::max(top, load[r] * inverse_[r]);
    if (!(top > 0.0) || !std::isfinite(top)) return false;
    for (std::size_t r = 0; r < load.size(); ++r) {
        scaled_[r] = inverse_[r] / top;
        refresh(r, load[r], power);
    }
    return true;
}

// Nothing that an option uses has a limit.
bool Levelling::is_free(std::size_t k) const {
    const Options& o = p_.options;
    for (std::size_t e = o.of_option[k]; e < o.of_option[k + 1]; ++e)
        if (o.use[e] > 0.0 && inverse_[o.resource[e]] > 0.0) return false;
    return true;
}

void Levelling::move(std::size_t u, std::span<double> share, std::span<double> load, int power) {
    const Options& o = p_.options;
    double high = 0.0, low = std::numeric_limits<double>::infinity();
    std::uint32_t dear = o.of_user[u], cheap = dear;
    for (std::uint32_t k = o.of_user[u]; k < o.of_user[u + 1]; ++k) {
        if (!p_.open[k]) continue;
        const double priced = o.priced(k, price_);
        if (share[k] > 0.0 && priced > high) high = priced, dear = k;
        if (priced < low) low = priced, cheap = k;
    }
    if (!(high > low * (1.0 + kWorthIt))) return;
    const double demand = p_.demand[u], bend = bend_between(o, dear, cheap, bend_) * demand;
    const bool whole = !(bend * (share[dear] - kDust) > high - low) || (low == 0.0 && is_free(cheap));
    const double part = whole ? share[dear] : (high - low) / bend;
    share[dear] -= part;
    share[cheap] += part;
    o.add_load(dear, -part * demand, load);
    o.add_load(cheap, part * demand, load);
    for (const std::uint32_t k : {dear, cheap})
        for (std::uint32_t e = o.of_option[k]; e < o.of_option[k + 1]; ++e)
            refresh(o.resource[e], load[o.resource[e]], power);
}

void Levelling::sweep(std::span<double> share, std::span<double> load, int power) {
    if (!scale(load, power)) return;
    for (std::size_t u = 0; u < p_.demand.size(); ++u)
        if (p_.demand[u] > 0.0 && p_.options.of_user[u + 1] - p_.options.of_user[u] > 1) move(u, share, load, power);
}

std::span<const double> Levelling::price(std::span<const double> load, int power) {
    if (!scale(load, power)) std::fill(price_.begin(), price_.end(), 0.0);
    return price_;
}

}  // namespace tiertwin::alloc
