// Online calibration: what telemetry of one window says about the factor exp(theta_l) on each link's wait.
//
//   observed  y_f = mean delay of flow f over the window - predicted,  H_fl = predicted wait of f at link l
//             y_l = log(mean wait of link l over the window / predicted), where somebody measures it
//   model     the window itself waited exp(theta_l + x_l), x_l ~ N(0, v_l + r_l): v_l what we do not know of theta_l,
//             r_l = memory_l/window how far a window's mean is from the long-run mean (time average of a reflected
//             Brownian motion, W. Whitt, Manag. Sci. 35, 1989)
//   solve     min_x  sum_f (y_f - sum_l H_fl x_l)^2/s_f + sum_l (y_l - x_l)^2/s_l + sum_l x_l^2/(v_l + r_l)
//             s_f = variance of f's delay / its packets; by coordinate descent
//   learn     k_l = v_l/(v_l + r_l),  theta_l += k_l x_l,  v_l *= 1 - k_l g_l,  g_l = share of x_l that the data
//   decided
//
// Before that: forgetting, theta *= phi, v <- phi^2 v + (1 - phi^2) prior, so that what is not confirmed shrinks to 0;
// and if the window's x_l are larger than v and r allow (a first pass with a wide prior), v grows to explain them: a
// model that is wrong about the traffic gets wide intervals, not confident ones. The scheme is ours; each step is
// textbook (ridge regression, Kalman gain).
//
// Thread safety  the state belongs to one thread.   Costs: 0.2 us a hop and sweep, 80 sweeps.
#pragma once

#include <vector>

#include "perf/model.hpp"

namespace tiertwin::perf {

struct Window {
    double seconds = 0;
    std::vector<double> flow_delay;    // observed means, s; not finite: not observed
    std::vector<double> flow_packets;  // how many, 0: not observed
    std::vector<double> link_wait;     // observed means, s; not finite: not observed
    std::vector<double> link_packets;
};

struct Learning {
    double forget = 1;  // phi, 0 < phi <= 1
    double prior = 0;   // variance of theta where nothing is known
};

// `predicted` is made with the state `belief` for the traffic of the window. Throws InvalidArgument.
void calibrate(const Streams& streams, const Prediction& predicted, const Window& window, const Learning& learning,
               LinkBelief& belief);

}  // namespace tiertwin::perf
