// The parts of a Newton step of the interior-point method: one (group, tier), one group, one row, and the normal
// matrix. Fixed row counts R let the compiler unroll; rows that are not used stay zero. See interior_point.hpp for the
// equations.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace tiertwin::alloc {

template <std::size_t R>
using Vector = std::array<double, R>;

// Symmetric positive definite R x R, lower triangle; solved in place by Cholesky.
template <std::size_t R>
struct Normal {
    std::array<double, R * R> a{};

    double& at(std::size_t r, std::size_t c) { return a[r * R + c]; }

    void factor() {
        for (std::size_t c = 0; c < R; ++c) {
            double pivot = at(c, c);
            const double least = 1e-14 * std::max(pivot, std::numeric_limits<double>::min());
            for (std::size_t k = 0; k < c; ++k) pivot -= at(c, k) * at(c, k);
            const double root = std::sqrt(std::max(pivot, least));  // rounding may cost the last positive digit
            at(c, c) = root;
            for (std::size_t r = c + 1; r < R; ++r) {
                double sum = at(r, c);
                for (std::size_t k = 0; k < c; ++k) sum -= at(r, k) * at(c, k);
                at(r, c) = sum / root;
            }
        }
    }

    // += weight a a'
    void add(const Vector<R>& x, double weight) {
        for (std::size_t r = 0; r < R; ++r) {
            const double scaled = weight * x[r];
            for (std::size_t c = 0; c <= r; ++c) at(r, c) += scaled * x[c];
        }
    }

    void solve(Vector<R>& b) {
        for (std::size_t r = 0; r < R; ++r) {
            for (std::size_t k = 0; k < r; ++k) b[r] -= at(r, k) * b[k];
            b[r] /= at(r, r);
        }
        for (std::size_t r = R; r-- > 0;) {
            for (std::size_t k = r + 1; k < R; ++k) b[r] -= at(k, r) * b[k];
            b[r] /= at(r, r);
        }
    }
};

template <std::size_t R>
[[nodiscard]] double dot(const Vector<R>& a, const Vector<R>& b) {
    double sum = 0.0;
    for (std::size_t r = 0; r < R; ++r) sum += a[r] * b[r];
    return sum;
}

// One (group, tier): share z with its reduced price n.
template <std::size_t R>
struct Cell {
    double cost, z, n, dz, dn;
    double inverse, v;  // 1/z, z/n
    double h;           // right-hand side of the Newton step
    // Left over of stationarity. It shrinks by the dual steps and is never recomputed: v would turn the rounding error
    // of a recomputed zero (1e-16) into a step (1e-6) once two tiers of a group are both in use.
    double reduced;
    Vector<R> a;  // use of each row at full demand
};

template <std::size_t R>
struct Group {
    double w, alpha;     // data
    double s, m, p;      // slack of the demand row and its price, price of service
    double q;            // sum of z
    double fair_error;   // of p q^alpha = w, see `fair_error`
    double slack_error;  // 1 - sum z - s
    double ds, dm, dp;   // step
    double v_sum, damp;  // sum of v; 1/(1 + curvature * v_sum)
    double shift;        // part of the right-hand side that is the same for all tiers
    Vector<R> mean;      // v-weighted mean of a
};

// Row r; own resources have the delay price e, quotas keep e = 0.
struct Bound {
    double limit, pole, kappa;  // c_r; C_r - c_r; kappa C_r
    double t, pi, e;            // slack, its price, price of delay
    double error, delay_error;  // c_r - a.z - t; kappa C / (e (t + pole)^2) - 1
    double dt, dpi, de;         // step
    double slope, push;         // dl = push - slope * dt
};

// Relative error of p q^alpha = w, for the linearised dp/p + alpha dq/q = error. In powers of q for alpha > 1 and of p
// otherwise: a product form brings both up quickly when both are far too small, which the logarithm does not.
[[nodiscard]] inline double fair_error(double w, double p, double q, double alpha) {
    const double ratio = w / p;
    if (alpha == 1.0) return ratio / q - 1.0;
    if (alpha > 1.0) return alpha * ((alpha == 2.0 ? std::sqrt(ratio) : std::pow(ratio, 1.0 / alpha)) / q - 1.0);
    if (alpha == 0.0) return ratio - 1.0;
    return ratio / (alpha == 0.5 ? std::sqrt(q) : std::pow(q, alpha)) - 1.0;
}

// How far a direction may be followed, and what mu would be there; filled cell by cell.
struct Reach {
    double primal = 0.0, dual = 0.0;                            // max of -step/value: no branch, and 0 means no bound
    double first_primal = 0.0, first_dual = 0.0, second = 0.0;  // terms of the sum of (x + a dx)(y + b dy)

    void pair(double x, double dx, double y, double dy, double per_x, double per_y) {
        primal = std::max(primal, -dx * per_x);
        dual = std::max(dual, -dy * per_y);
        first_primal += dx * y;
        first_dual += x * dy;
        second += dx * dy;
    }
    void join(const Reach& other) {
        primal = std::max(primal, other.primal);
        dual = std::max(dual, other.dual);
        first_primal += other.first_primal;
        first_dual += other.first_dual;
        second += other.second;
    }
    void price(double value, double step) { dual = std::max(dual, -step / value); }
    [[nodiscard]] double primal_step(double fraction) const {
        return std::min(1.0, fraction / std::max(primal, 1e-300));
    }
    [[nodiscard]] double dual_step(double fraction) const { return std::min(1.0, fraction / std::max(dual, 1e-300)); }
    // Sum of products at these steps, when it is `product` now.
    [[nodiscard]] double product_at(double product, double a, double b) const {
        return product + a * first_primal + b * first_dual + a * b * second;
    }
};

}  // namespace tiertwin::alloc
