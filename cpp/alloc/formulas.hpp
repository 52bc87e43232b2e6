// Closed forms of one group and of one resource; every other file of this folder builds on these.
//
//   utility      U(q; 1) = log q,   U(q; a) = (q^(1-a) - 1)/(1-a)      a-fair utility of the served share q in [0, 1]
//   best share   argmax_{0<=q<=1} b U(q) - p q = min(1, (b/p)^(1/a))   what a group takes at price p
//   delay cost   D(y) = kappa y/(C - y),  y <= 0.98 C                  M/M/1 delay times load, in utils/s
//   conjugate    D*(l) = max_y l y - D(y),  y = clip(C - sqrt(kappa C/l), 0, 0.98 C)
//
// Thread safety  pure functions.
// Requires       a >= 0, b >= 0, p >= 0, C >= 0, kappa >= 0, all finite.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

namespace tiertwin::alloc {

// A load stays below this share of its capacity: D has a pole at 1.
inline constexpr double kLoadLimit = 0.98;

// U(q; alpha); minus infinity at q = 0 when alpha >= 1. expm1 keeps all digits for alpha near 1.
[[nodiscard]] inline double utility(double q, double alpha) {
    const double e = 1.0 - alpha;
    if (e == 0.0) return std::log(q);
    if (q <= 0.0) return e > 0.0 ? -1.0 / e : -std::numeric_limits<double>::infinity();
    return std::expm1(e * std::log(q)) / e;
}

// Share a group takes at price p per task when full service is worth b per task. A free tier is taken whole.
[[nodiscard]] inline double best_share(double b, double price, double alpha) {
    if (b <= 0.0) return 0.0;
    if (price <= b) return 1.0;
    if (alpha == 0.0) return 0.0;
    if (alpha == 1.0) return std::max(b / price, std::numeric_limits<double>::min());
    return std::max(std::pow(b / price, 1.0 / alpha), std::numeric_limits<double>::min());  // log stays finite
}

// b U(q) with 0 * (-inf) = 0: a worthless group costs nothing when it is not served.
[[nodiscard]] inline double worth(double b, double q, double alpha) { return b > 0.0 ? b * utility(q, alpha) : 0.0; }

// q U'(q) = q^(1-a): what one per cent more rate for this group is worth, in per cent of b.
[[nodiscard]] inline double marginal_scale(double q, double alpha) {
    if (alpha == 1.0) return 1.0;
    return q > 0.0 ? std::exp((1.0 - alpha) * std::log(q))
                   : (alpha < 1.0 ? 0.0 : std::numeric_limits<double>::infinity());
}

// The same two without a logarithm where alpha is 0: linear users are many in fair shares.
[[nodiscard]] inline double service_utility(double y, double alpha) {
    return alpha == 0.0 ? y - 1.0 : utility(y, alpha);
}
[[nodiscard]] inline double service_scale(double y, double alpha) {
    return alpha == 0.0 ? y : marginal_scale(y, alpha);
}

// D(y), extended by +infinity beyond the pole; a resource without capacity costs nothing while unused.
[[nodiscard]] inline double delay_cost(double load, double capacity, double kappa) {
    if (kappa <= 0.0 || load <= 0.0) return 0.0;
    if (load >= capacity) return std::numeric_limits<double>::infinity();
    return kappa * load / (capacity - load);
}

[[nodiscard]] inline double delay_conjugate(double price, double capacity, double kappa) {
    if (price <= 0.0 || capacity <= 0.0) return 0.0;
    const double load = std::clamp(capacity - std::sqrt(kappa * capacity / price), 0.0, kLoadLimit * capacity);
    return price * load - delay_cost(load, capacity, kappa);
}

// Neumaier's compensated sum: the error does not grow with the number of groups.
class Sum {
  public:
    void add(double term) {
        const double next = sum_ + term;
        lost_ += std::abs(sum_) >= std::abs(term) ? (sum_ - next) + term : (term - next) + sum_;
        sum_ = next;
    }
    // An infinite sum makes `lost_` NaN; the plain sum is then the answer.
    [[nodiscard]] double value() const { return std::isfinite(sum_) ? sum_ + lost_ : sum_; }

  private:
    double sum_ = 0.0;
    double lost_ = 0.0;
};

}  // namespace tiertwin::alloc
