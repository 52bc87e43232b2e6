// A noisy-OR model of alarms (J. Pearl, Probabilistic Reasoning in Intelligent Systems, 1988, 4.3): which cause makes
// which observation an alarm, and how surely.
//
//   P(silent i | A) = (1 - leak_i) prod_{c in A} (1 - q_ci) = exp(-x_i(A))
//   x_i(A) = l_i + sum_{c in A} w_ci,   l_i = -ln(1 - leak_i),   w_ci = -ln(1 - q_ci)
//   ln P(alarm i | A) = f(x_i(A)),      f(x) = ln(1 - exp(-x))
//   ln P(A) = sum_{c in A} o_c + constant,   o_c = ln(prior_c / (1 - prior_c)): causes come independently
//
// Units          q, leak, prior: probabilities; exposures l, w: nats.
// Range          0 <= q <= 1 - 1e-12; 1e-12 <= leak, prior <= 1 - 1e-12: an alarm is never impossible, nothing certain.
// Thread safety  immutable once built.
// Costs          O(causes + observations + influences).
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "base/types.hpp"

namespace tiertwin::localise {

// ln P(alarm) at exposure x > 0.
[[nodiscard]] inline double ln_alarm(double x) { return std::log(-std::expm1(-x)); }

// One influence of a cause: on which observation, its exposure w, and what f gains by it from the leak alone.
struct Influence {
    std::int32_t observation;
    double exposure, lift;
};

// What a model is made of: the observations observation[start[c]] .. observation[start[c + 1] - 1] of cause c,
// ascending, with their q.
struct InfluenceRows {
    std::span<const index_t> start, observation;
    std::span<const double> q, leak, prior;
};

class Influences {
  public:
    // Throws InvalidArgument naming the first entry that is out of range or order.
    explicit Influences(const InfluenceRows& rows);

    [[nodiscard]] std::size_t causes() const { return log_odds_.size(); }
    [[nodiscard]] std::size_t observations() const { return background_.size(); }
    [[nodiscard]] std::size_t size() const { return influence_.size(); }
    [[nodiscard]] std::span<const Influence> of(std::size_t cause) const {
        return std::span(influence_).subspan(first_[cause], first_[cause + 1] - first_[cause]);
    }
    // Causes that can make an observation an alarm, ascending.
    [[nodiscard]] std::span<const std::int32_t> causes_of(std::size_t observation) const {
        return std::span(cause_).subspan(begin_[observation], begin_[observation + 1] - begin_[observation]);
    }
    [[nodiscard]] double background(std::size_t observation) const { return background_[observation]; }
    [[nodiscard]] double log_odds(std::size_t cause) const { return log_odds_[cause]; }

  private:
    void transpose();

    std::vector<std::size_t> first_, begin_;
    std::vector<Influence> influence_;
    std::vector<std::int32_t> cause_;
    std::vector<double> background_, log_odds_;
};

}  // namespace tiertwin::localise
