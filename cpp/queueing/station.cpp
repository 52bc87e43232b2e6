#include "queueing/station.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "base/error.hpp"

namespace tiertwin {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

void not_negative(double value, const char* name) {
    if (!(value >= 0))
        throw InvalidArgument(std::string(name) + " is " + std::to_string(value) + "; expected a number >= 0");
}

void positive(double value, const char* name) {
    if (!(value > 0))
        throw InvalidArgument(std::string(name) + " is " + std::to_string(value) + "; expected a number > 0");
}

void at_least_one(index_t value, const char* name) {
    if (value < 1) throw InvalidArgument(std::string(name) + " is " + std::to_string(value) + "; expected at least 1");
}

void moments(double es, double es2) {
    not_negative(es, "es");
    // E[S^2] >= E[S]^2 up to the rounding of whoever computed it; a variance in its place is the usual mistake.
    if (!(es2 >= es * es * (1 - 1e-9)))
        throw InvalidArgument("es2 is " + std::to_string(es2) + " and es is " + std::to_string(es) +
                              "; expected the second moment E[S^2] >= E[S]^2 (not the variance)");
}

// (1 - r) / (1 - r^n) for 0 <= r < 1 without cancellation near 1.
double first_term_share(double r, double n) { return r == 0 ? 1.0 : (1 - r) / -std::expm1(n * std::log(r)); }

}  // namespace

double mm1_delay(double lam, double mu) {
    not_negative(lam, "lam");
    positive(mu, "mu");
    return lam < mu ? 1 / (mu - lam) : kNever;
}

double mm1_tail(double lam, double mu, double t) {
    not_negative(lam, "lam");
    positive(mu, "mu");
    not_negative(t, "t");
    return lam < mu ? std::exp(-(mu - lam) * t) : 1.0;
}

double mm1k_loss(double lam, double mu, index_t places) {
    not_negative(lam, "lam");
    positive(mu, "mu");
    at_least_one(places, "places");
    const auto k = static_cast<double>(places);
    const double r = lam / mu;
    if (r == 1) return 1 / (k + 1);
    // State k of load r is state 0 of load 1/r: each side is computed where its powers do not overflow.
    return r < 1 ? first_term_share(r, k + 1) * std::pow(r, k) : first_term_share(1 / r, k + 1);
}

double mm1k_delay(double lam, double mu, index_t places) {
    not_negative(lam, "lam");
    positive(mu, "mu");
    at_least_one(places, "places");
    const double low = std::min(lam, mu), high = std::max(lam, mu), q = low / high;
    if (q == 0) return lam < mu ? 1 / mu : static_cast<double>(places) / mu;
    // Mean number in the station state by state, counted from the likelier end: the powers stay below 1 and nothing
    // cancels on either side of lam = mu, as it would in the closed form. O(K).
    double term = 1, mass = 0, moment = 0;
    for (index_t i = 0; i <= places && term > 0; ++i, term *= q) {
        mass += term;
        moment += term * static_cast<double>(i);
    }
    const double from_end = moment / mass;
    const double inside = lam <= mu ? from_end : static_cast<double>(places) - from_end;
    return inside / (low * (1 - mm1k_loss(low, high, places)));  // Little; rate let in = lam (1 - P_K) = mu (1 - P_0)
}

double erlang_c(index_t servers, double offered) {
    at_least_one(servers, "servers");
    not_negative(offered, "offered");
    const auto c = static_cast<double>(servers);
    if (offered >= c) return 1.0;
    // Erlang B by its recursion, which neither overflows nor cancels: B(0) = 1, B(k) = a B/(k + a B).
    double blocked = 1;
    for (index_t k = 1; k <= servers; ++k) blocked = offered * blocked / (static_cast<double>(k) + offered * blocked);
    return c * blocked / (c - offered * (1 - blocked));
}

double mmc_delay(double lam, double mu, index_t servers) {
    not_negative(lam, "lam");
    positive(mu, "mu");
    at_least_one(servers, "servers");
    const double capacity = static_cast<double>(servers) * mu;
    return lam < capacity ? 1 / mu + erlang_c(servers, lam / mu) / (capacity - lam) : kNever;
}

double mg1_wait(double lam, double es, double es2) {
    not_negative(lam, "lam");
    moments(es, es2);
    const double rho = lam * es;
    return rho < 1 ? lam * es2 / (2 * (1 - rho)) : kNever;
}

double md1_wait(double lam, double es) { return mg1_wait(lam, es, es * es); }

double gg1_wait(double lam, double es, double ca2, double cs2) {
    not_negative(lam, "lam");
    not_negative(es, "es");
    not_negative(ca2, "ca2");
    not_negative(cs2, "cs2");
    const double rho = lam * es;
    return rho < 1 ? rho * es * (ca2 + cs2) / (2 * (1 - rho)) : kNever;
}

double ps_delay(double lam, double es) {
    not_negative(lam, "lam");
    not_negative(es, "es");
    const double rho = lam * es;
    return rho < 1 ? es / (1 - rho) : kNever;
}

void priority_wait(std::span<const double> lam, std::span<const double> es, std::span<const double> es2,
                   std::span<double> wait) {
    if (es.size() != lam.size() || es2.size() != lam.size() || wait.size() != lam.size())
        throw InvalidArgument("expected one lam, es and es2 a class, got " + std::to_string(lam.size()) + ", " +
                              std::to_string(es.size()) + " and " + std::to_string(es2.size()));
    // Mean residual work of whoever is in service: each class counts with the rate at which it is really served.
    double residual = 0, busy = 0;
    for (std::size_t k = 0; k < lam.size(); ++k) {
        not_negative(lam[k], "lam");
        moments(es[k], es2[k]);
        const double rho = lam[k] * es[k];
        const double served = busy + rho < 1 ? lam[k] : busy < 1 ? (1 - busy) / es[k] : 0.0;
        residual += served * es2[k] / 2;
        busy += rho;
    }
    double before = 0;
    for (std::size_t k = 0; k < lam.size(); ++k) {
        const double upto = before + lam[k] * es[k];
        wait[k] = upto < 1 ? residual / ((1 - before) * (1 - upto)) : kNever;
        before = upto;
    }
}

}  // namespace tiertwin
