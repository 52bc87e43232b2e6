// A station with room for K packets (the one in service included): loss, and waits of those that are let in.
//
// The number in the station is taken as geometric from 1 on, cut at K:  p_n = c eta^(n-1), n = 1..K, and what is busy
// is what is carried: sum p_n = rho (1 - p_K). From the second,
//     loss = p_K = rho x/(1 + rho x),   x = eta^(K-1) (1 - eta)/(1 - eta^K)
// eta is chosen so that without a limit the mean wait is a times that of M/M/1 (a = (1 + cs2)/2 for M/G/1):
//     eta = a rho/(1 - rho + a rho)  to rho = 1,   rho^(1/a) beyond (same value and slope at 1).
// Exact for M/M/1/K (a = 1). The idea of a two-moment geometric: J. MacGregor Smith, Eur. J. Oper. Res. 159 (2004), who
// interpolates otherwise; this form is ours. Waits of those let in, with n found on arrival (p_n/(1 - p_K), n < K):
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
