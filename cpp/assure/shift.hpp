// Has a sensor left the level it follows? Many attributes at once, by short means against levels that stop following
// while they are judged to be wrong.
//
//   m_t  = mean of the last w values seen          l_t = level, l += g (m_t - l)  unless shifted
//   r_t  = |m_t - l|                               limit = q-quantile of r over the clean start (linear interpolation)
//   z_t  = r_t / limit;   shifted while z_t > factor
//
// Slow wear and warming are followed (gain g, lag = slope / g); a fault that comes faster is not, and stays visible for
// as long as it lasts, because its level is frozen. Each attribute freezes for itself: the others go on following.
//
// Source    Ours. The chart of a short mean against limits of a clean phase is that of W. A. Shewhart (1931), the
//           following level exponential smoothing (S. W. Roberts, Technometrics 1 (1959) 239).
// Clean     the first `clean` values *seen* of each attribute, taken to be without fault; z is 0 until then. r is
// judged
//           from the 2 w-th on.
// Missing   NaN: z keeps what it was, nothing is learnt: a sensor that falls silent while shifted stays shifted.
// Constant  the limit is at least 1e-9 of the largest value of the clean start (rounding); z is capped at 1e6. An
//           attribute that was constant and moves is shifted at once.
// Range     finite |x| <= 1e300 or NaN; infinite values are refused, nothing changes.
// Costs     a push: w + 10 operations an attribute. Memory: 8 w bytes an attribute, and 8 `clean` until it is over.
// Thread    one thread owns it.
#pragma once

#include <span>
#include <vector>

#include "base/types.hpp"

namespace tiertwin::assure {

struct ShiftOptions {
    index_t clean = 400, mean = 10;
    double gain = 0.02, quantile = 0.99, factor = 1.5;
};

class ShiftWatch {
  public:
    ShiftWatch(index_t attributes, const ShiftOptions& options);  // InvalidArgument

    // Rows × attributes in, z of the same shape out.
    void push(std::span<const double> values, std::span<double> z);

    [[nodiscard]] index_t attributes() const { return static_cast<index_t>(states_.size()); }
    [[nodiscard]] double limit(index_t attribute) const;  // NaN until its clean start is over. NotFound
    [[nodiscard]] index_t memory_bytes() const;

  private:
    struct State {
        std::vector<double> ring, clean;
        index_t seen = 0;
        double level = 0.0, limit = 0.0, largest = 0.0, z = 0.0;
    };
    [[nodiscard]] double step(State& state, double value) const;
    void learn(State& state, double away) const;

    ShiftOptions options_;
    std::vector<State> states_;
};

}  // namespace tiertwin::assure
