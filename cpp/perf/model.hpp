// The twin's own performance model of packets: flows over given paths through first-in first-out, processor-sharing and
// priority links with finite or unlimited buffers. From rates and moments to delays, tails, losses, each with an
// interval.
//
// A link on its own, lam packets/s of size S (in s at the link's rate), rho = lam E[S], V = lam E[S^2]:
//     W0 = V/(2 (1 - rho))                                                       (Pollaczek-Khinchine)
// What the way here did to the packets of one flow is a factor R on it, W = R W0:
//     R = 1 + (1 - rho)^(1 + b v) A + (1 - rho)^x (own - A) - min(1, sum_i q_i^y p_i f_i rho^(1 + d v))
//     f_i = (1 + c)/(1 + c T/T_i),   T = V/(1 - rho)^2,   v = 1 - E[S]^2/E[S^2]
//     own = (q1 - q2)(e1 - 1) + (q2 - q3)(e2 - 1) + q3 (e3 - 1)
// own: light traffic, exact to first order in the load. A share q1 of V came over the same link before, q2 over the
// same two, q3 over the same three, and such packets wait for each other e1, e2, e3 times as much as fresh ones
// (sizes.hpp). A: mean of `own` over the link's packets. Last term: stream i, a share q_i of V here and p_i of the load
// of the link it comes from, arrives more evenly than it went in there, over times up to those that link remembers:
// T_i, as T here. The share p_i and the comparison of times follow Whitt's splitting (QNA, Bell Syst. Tech. J. 62,
// 1983) and departures that approach the arrivals' variability only over long times (Whitt & You, Oper. Res. 66, 2018).
// So a queue behind links that remember little waits as if nothing had been smoothed: R -> 1 as rho -> 1 alone. b, c,
// d, x, y are ours, fitted (config.hpp); v: sizes that vary. One link alone has R = 1; behind an equal link that sends
// it everything, constant sizes have R = 0. With a finite buffer, which takes `fill` seconds to send, 1/T = (1 -
// rho)^2/V
// + V/fill^2 and sqrt(V/T) stands for 1 - rho in R: a queue that cannot grow lives on the times of a lower load (ours).
//
// Second and third cumulants of a hop's wait, from those of M/G/1 (Takacs), the terms in the sizes times R:
//     Var = W^2 + R lam E[S^3]/(3 (1 - rho)),   k3 = 2 W^3 + 3 W R lam E[S^3]/(3 (1 - rho)) + R lam E[S^4]/(4 (1 -
//     rho))
// A flow's delay: propagation + its size over all rates + waits; one size for all links; cumulants added, those of the
// waits times fitted factors for correlation along the path; quantiles by Pearson III (tail.hpp), and not above the
// largest packet's own time + the same quantile of the waits. Sizes with a frequent largest value: mixture.hpp; the
// wait of the largest has for `own` that of a packet as large as the larger of the two values, over one link back, the
// others share the rest of the mean; a wait's variance is taken as a multiple of its mean (ours).
//
// Arrivals that are not Poisson add lam E[S]^2 (c - 1) w(t/tau) to V; w(x) = 1 - (1 - exp(-x))/x, tau the correlation
// time, t = V/(2 (1 - rho)^2) the time over which the queue builds up (as in robust queueing, Whitt & You).
// Finite buffers: finite.hpp with a = lam V R/(2 rho^2); carried rates go downstream, and around until they stand
// still. Sharing: delay = size/(C (1 - rho)). Priority: Cobham's waits (queueing/station.hpp) times R. Power of a link:
// idle + (full - idle) utilisation.
//
// An unlimited link at rho >= 1 has infinite waits and carries its capacity; nothing is lost, the rest stays behind.
//
// Thread safety  const: any thread, own `Prediction`.
// Costs      about 0.5 us a hop and 1 us a flow; losses repeat the first part of it, 5 to 30 times.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "perf/config.hpp"
#include "perf/streams.hpp"

namespace tiertwin::perf {

// What calibration found out about each link: the logarithm of the factor on its wait, and how sure that is.
struct LinkBelief {
    std::vector<double> log_factor, variance;
};

struct Prediction {
    // by flow; times s, rates packets/s
    std::vector<double> mean, wait, sd, p95, p99, loss, throughput;
    std::vector<double> mean_low, mean_high, p99_low, p99_high, loss_low, loss_high;
    std::vector<std::uint8_t> low_confidence;
    // by link
    std::vector<double> utilisation, link_wait, link_loss, power;
    std::vector<double> memory;    // time over which waits are correlated, 2 V/(1 - rho)^2, s; infinite at rho >= 1
    std::vector<double> hop_wait;  // by hop, s
};

class Model {
  public:
    // Throws InvalidArgument.
    explicit Model(const Paths& paths) : streams_(paths) {}

    [[nodiscard]] const Streams& streams() const { return streams_; }

    // z: half-widths of intervals are z standard deviations (1.645 for 90 %). Throws InvalidArgument.
    [[nodiscard]] Prediction predict(const Traffic& traffic, const Coefficients& coefficients, const LinkBelief& belief,
                                     double z) const;

  private:
    Streams streams_;
};

}  // namespace tiertwin::perf
