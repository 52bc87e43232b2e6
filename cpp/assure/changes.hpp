// Has a stream changed its mean or spread, and how long ago? Bayesian online change points, many series at once.
//
//   P(r_t, x_1..t) = sum over r_{t-1} of P(x_t | r_{t-1}, x) P(r_t | r_{t-1}) P(r_{t-1}, x_1..t-1)
//   r grows by one with 1 - 1/lambda, falls to 0 with 1/lambda; x normal with unknown mean and variance in between
//   (normal-gamma prior), so the predictive is Student's t with 2 alpha degrees of freedom.
//
// Values are judged as (x - mean) / std of the first `warm` seen: prior mu 0, kappa 1, alpha 1, beta 1 in these units,
// so x -> a x + b changes nothing. One deviation of more than 1e6 of these units counts as that much.
//
//   recent   P(r_t <= `delay`): a change within the last `delay` values. In the first `delay` after the warm-up: 0.
//   length   the most probable r_t
//
// Source    R. P. Adams, D. J. C. MacKay, Bayesian Online Changepoint Detection, arXiv 0710.3742 (2007).
// Bounded   run lengths beyond `most` are one hypothesis with the statistics of the longest (ours): older values are
//           then no longer told apart. NaN: nothing changes. Constant in the warm-up: judged from its first move on.
// Costs     60 ns x min(n, most) a value; memory 48 `most` bytes a series.     Thread: one thread owns it.
#pragma once

#include <span>
#include <vector>

#include "base/types.hpp"

namespace tiertwin::assure {

struct ChangeOptions {
    double lambda = 250.0;  // expected values between two changes
    index_t most = 300, warm = 30, delay = 5;
};

class ChangePoints {
  public:
    ChangePoints(index_t series, const ChangeOptions& options);  // InvalidArgument

    // Rows × series in; `recent` and `length` of the same shape out.
    void push(std::span<const double> values, std::span<double> recent, std::span<index_t> length);

    [[nodiscard]] index_t series() const { return static_cast<index_t>(states_.size()); }
    [[nodiscard]] index_t memory_bytes() const;

  private:
    struct Run {  // one run length: its weight and the statistics of its values
        double weight, mu, kappa, alpha, beta;
    };
    struct State {
        std::vector<Run> runs;
        double seen = 0.0, mean = 0.0, square = 0.0, recent = 0.0;
        index_t judged = 0, length = 0;
    };
    void step(State& state, double value) const;
    void judge(State& state, double z) const;

    ChangeOptions options_;
    std::vector<State> states_;
};

}  // namespace tiertwin::assure
