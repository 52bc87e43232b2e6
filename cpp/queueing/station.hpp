// Formulas of one service station: mean delays, tails and losses of the classical queues.
//
//   rho = lam E[S] (per server);  delay T = time in the station;  wait W = T - E[S]
//
//   M/M/1       T = 1/(mu - lam),   P(T > t) = exp(-(mu - lam) t)
//   M/M/1/K     loss P_K = (1 - r) r^K / (1 - r^(K+1)),  r = lam/mu,  K places in the station including the server
//   Erlang C    C(c, a) = X/(sum_{k<c} a^k/k! + X),  X = (a^c/c!) c/(c - a),  a = lam/mu < c
//   M/M/c       T = 1/mu + C(c, a)/(c mu - lam)
//   M/G/1       W = lam E[S^2]/(2 (1 - rho))                          (Pollaczek-Khinchine)
//   M/D/1       the same with E[S^2] = E[S]^2
//   G/G/1       W ~ rho E[S] (ca2 + cs2)/(2 (1 - rho))                (Kingman; an upper bound near saturation, exact
//                                                                      for M/G/1 with ca2 = 1)
//   M/G/1-PS    T = E[S]/(1 - rho), whatever the distribution of S
//   priority    W_k = W0/((1 - s_{k-1})(1 - s_k)),  W0 = sum_i lam_i E[S_i^2]/2,  s_k = sum_{i<=k} rho_i
//               (Cobham: non-preemptive, class 0 first)
//
// Source: L. Kleinrock, Queueing Systems, vol. 1 (1975) and 2 (1976); J. F. C. Kingman (1961); A. Cobham (1954).
//
// Units      rates per second, times in seconds; any other consistent pair does as well.
// Range      a station at or above its capacity (rho >= 1) has no steady state: delays and waits are +infinity, tails
// and
//            Erlang C are 1. A negative or NaN argument, a rate of service that is not positive, or a second moment
//            below the square of the first throws InvalidArgument; arguments may be infinite where a limit exists.
// Thread safety  pure functions.   Costs: a few ns each; Erlang O(c).
#pragma once

#include <span>

#include "base/types.hpp"

namespace tiertwin {

[[nodiscard]] double mm1_delay(double lam, double mu);
[[nodiscard]] double mm1_tail(double lam, double mu, double t);  // P(delay > t)

[[nodiscard]] double mm1k_loss(double lam, double mu, index_t places);   // share of arrivals that find no place
[[nodiscard]] double mm1k_delay(double lam, double mu, index_t places);  // mean delay of those that are let in

// Probability that an arrival waits, at c servers and offered load a = lam/mu (erlang). 1 from a = c on.
[[nodiscard]] double erlang_c(index_t servers, double offered);
[[nodiscard]] double mmc_delay(double lam, double mu, index_t servers);

// es = E[S], es2 = E[S^2].
[[nodiscard]] double mg1_wait(double lam, double es, double es2);
[[nodiscard]] double md1_wait(double lam, double es);
// ca2, cs2: squared coefficients of variation of inter-arrival and service times.
[[nodiscard]] double gg1_wait(double lam, double es, double ca2, double cs2);
[[nodiscard]] double ps_delay(double lam, double es);

// Waits of all classes, the first served first. One entry a class in every span.
// Above capacity the classes that still fit have finite waits: the first that does not gets only the time left over
// (and so disturbs the others only that much), those after it are never served; both wait for ever.
void priority_wait(std::span<const double> lam, std::span<const double> es, std::span<const double> es2,
                   std::span<double> wait);

}  // namespace tiertwin
