// A station with room for K packets (the one in service included): loss, and waits of those that are let in.
//
// M/G/1/K exactly, were the number in M/G/1 without a limit known: below K the numbers keep their proportions, and what
// is busy is what is carried (J. Keilson 1965). It is taken as geometric from 1 on, p_n = p_0 g eta^(n-1), n = 1..K-1,
// so that
//     X = 1 + g (1 + eta + .. + eta^(K-2)),   loss = 1 - X/(1 + rho X)   ( = rho eta^(K-1)/(1 + rho X) to rho = 1)
// with eta such that without a limit the mean wait is a times that of M/M/1 (a = (1 + cs2)/2 for M/G/1), and g from
// P(busy) = rho:
//     eta = a rho/(1 - rho + a rho)  to rho = 1,   rho^(1/a) beyond (same value and slope at 1),   g = eta/a
// Exact for M/M/1/K (a = 1). The closure by a geometric law, and what is beyond rho = 1, are ours. Waits of those let
// in, who find n with p_n/(1 - loss):
//     E[W] = (E[N] - busy)/carried rate (Little);  Var W = u^2 Var n + u^2 cs2 E[n],  u = E[W]/E[n]   (ours)
//
// Thread safety  pure.   Costs: loss 20 ns, waits up to K steps.
#pragma once

#include <cstdint>

namespace tiertwin::perf {

[[nodiscard]] double queue_ratio(double rho, double a);                   // eta
[[nodiscard]] double loss_of(double rho, double a, std::int64_t places);  // places = K >= 1

struct Waits {
    double mean = 0, variance = 0, third = 0;  // third cumulant
};
// lam > 0: packets a second offered; cs2: squared coefficient of variation of sizes.
[[nodiscard]] Waits waits_of(double lam, double rho, double a, double cs2, std::int64_t places);

}  // namespace tiertwin::perf
