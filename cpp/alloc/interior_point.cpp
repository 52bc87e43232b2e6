#include "alloc/interior_point.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "alloc/interior_scaled.hpp"
#include "base/error.hpp"

namespace tiertwin::alloc {

namespace {

constexpr double kLeafBoundary = 0.995;
// After a short step: aim at this share of mu, without the second-order term, which is wrong far from the path. Of 6000
// random solves 4 took more than 28 iterations with this, 23 without; the mean rose from 11.8 to 12.2.
constexpr double kLeafShort = 0.3, kLeafRecentre = 0.3;

// From here on primal and dual steps are equal: slower, but the p q^a of a group with large a cannot cycle. One of the
// same 6000 solves did (a = 4, demands spread over 1e6) and ended with a gap of 0.33 S; so it closes in 46 iterations.
constexpr index_t kLeafPatience = 25;

// From here on the best point is kept: where a bound ties with a price, rounding ends the way just above the tolerance,
// and each further step is along a direction of noise (seen: 3e-9 S after 10 steps, 0.2 S after 80, NaN after 340).
// After kLeafPatience steps without a better one it is the answer.
constexpr index_t kKeep = 12;

// What a relative error e of p q^a = w may cost, as a share of w q^(1-a): second order, with a safe factor.
double fenchel(double error) { return std::min(std::abs(error), error * error * 1e3); }

template <std::size_t R>
class LeafEngine final : public InteriorPoint {
  public:
    LeafEngine(const LeafProblem& problem, bool with_quotas) : at_(problem, with_quotas) {}
    Suggestion solve(std::span<const double> quota, std::span<const double> price, index_t iteration_limit,
                     double tolerance) override;

  private:
    [[nodiscard]] double advance(double primal_step, double dual_step);
    void assemble();
    void assemble_group(std::size_t g);
    [[nodiscard]] Reach direction(double target, bool correct);
    void group_side(std::size_t g, double target, bool correct, Vector<R>& rhs);
    void move_group(std::size_t g, const Vector<R>& dl, double target, bool correct, Reach& reach);
    void move_rows(const Vector<R>& dl, Reach& reach);
    [[nodiscard]] double products() const { return static_cast<double>(at_.cells.size() + at_.groups.size() + R); }

    ScaledLeaf<R> at_;
    Normal<R> normal_;
};

// Takes a step, then the residuals of the new point, mu, and an estimate of (upper - lower bound) / S.
template <std::size_t R>
double LeafEngine<R>::advance(double a, double b) {
    double product = 0.0, infeasible = 0.0, scale = 0.0;
    Vector<R> load{};
    for (std::size_t g = 0; g < at_.groups.size(); ++g) {
        Group<R>& group = at_.groups[g];
        double q = 0.0;
        for (Cell<R>& cell : at_.cells_of(g)) {
            cell.z += a * cell.dz;
            cell.n += b * cell.dn;
            cell.reduced *= 1.0 - b;
            q += cell.z;
            product += cell.z * cell.n;
            infeasible += std::abs(cell.z * cell.reduced);
            for (std::size_t r = 0; r < R; ++r) load[r] += cell.z * cell.a[r];
        }
        group.s += a * group.ds;
        group.m += b * group.dm;
        group.p += b * group.dp;
        group.q = q;
        group.slack_error = 1.0 - q - group.s;
        group.fair_error = fair_error(group.w, group.p, q, group.alpha);
        product += group.s * group.m;
        const double worth = group.p * q;  // w q^(1-a) at optimality
        scale += worth;
        infeasible += group.m * std::abs(group.slack_error) + worth * fenchel(group.fair_error);
    }
    for (std::size_t r = 0; r < R; ++r) {
        Bound& row = at_.rows[r];
        row.t += a * row.dt;
        row.pi += b * row.dpi;
        row.e += b * row.de;
        at_.l[r] = row.pi + row.e;
        row.error = row.limit - load[r] - row.t;
        const double left = row.t + row.pole;
        row.delay_error = row.e > 0.0 ? row.kappa / (row.e * left * left) - 1.0 : 0.0;
        product += row.t * row.pi;
        infeasible += at_.l[r] * std::abs(row.error) + row.e * left * fenchel(row.delay_error);
    }
    at_.mu = product / products();
    return (product + infeasible) / std::max(scale, kLeastScale * static_cast<double>(at_.groups.size()));
}

// Parts of a group that both directions share; adds the group to the normal matrix.
template <std::size_t R>
void LeafEngine<R>::assemble_group(std::size_t g) {
    Group<R>& group = at_.groups[g];
    group.mean.fill(0.0);
    group.v_sum = 0.0;
    for (Cell<R>& cell : at_.cells_of(g)) {
        cell.inverse = 1.0 / cell.z;
        cell.v = cell.z / cell.n;
        group.v_sum += cell.v;
        for (std::size_t r = 0; r < R; ++r) group.mean[r] += cell.v * cell.a[r];
    }
    for (double& mean : group.mean) mean /= group.v_sum;
    const double curvature = group.m / group.s + group.alpha * group.p / group.q;
    group.damp = 1.0 / (1.0 + curvature * group.v_sum);
    for (const Cell<R>& cell : at_.cells_of(g)) {
        Vector<R> centred;
        for (std::size_t r = 0; r < R; ++r) centred[r] = cell.a[r] - group.mean[r];
        normal_.add(centred, cell.v);
    }
    normal_.add(group.mean, group.v_sum * group.damp);
}

template <std::size_t R>
void LeafEngine<R>::assemble() {
    normal_.a.fill(0.0);
    for (std::size_t g = 0; g < at_.groups.size(); ++g) assemble_group(g);
    for (std::size_t r = 0; r < R; ++r) {
        Bound& row = at_.rows[r];
        row.slope = row.pi / row.t + 2.0 * row.e / (row.t + row.pole);
        normal_.at(r, r) += 1.0 / row.slope;
    }
    normal_.factor();
}

template <std::size_t R>
void LeafEngine<R>::group_side(std::size_t g, double target, bool correct, Vector<R>& rhs) {
    Group<R>& group = at_.groups[g];
    const double wanted = target - group.s * group.m - (correct ? group.ds * group.dm : 0.0);
    group.shift = (wanted - group.m * group.slack_error) / group.s - group.p * group.fair_error;
    double mean = 0.0;
    for (Cell<R>& cell : at_.cells_of(g)) {
        const double product = target - (correct ? cell.dz * cell.dn : 0.0);
        cell.h = product * cell.inverse - cell.n - cell.reduced;
        mean += cell.v * cell.h;
    }
    mean /= group.v_sum;
    for (const Cell<R>& cell : at_.cells_of(g)) {
        const double pull = cell.v * (cell.h - mean);
        for (std::size_t r = 0; r < R; ++r) rhs[r] += pull * (cell.a[r] - group.mean[r]);
    }
    const double common = (mean - group.shift) * group.v_sum * group.damp;
    for (std::size_t r = 0; r < R; ++r) rhs[r] += group.mean[r] * common;
}

template <std::size_t R>
void LeafEngine<R>::move_group(std::size_t g, const Vector<R>& dl, double target, bool correct, Reach& reach) {
    Group<R>& group = at_.groups[g];
    const auto cells = at_.cells_of(g);
    double mean = 0.0;
    for (Cell<R>& cell : cells) {
        cell.h -= dot<R>(dl, cell.a);
        mean += cell.v * cell.h;
    }
    mean /= group.v_sum;
    const double common = (mean - group.shift) * group.damp;
    const double dq = common * group.v_sum;  // not the sum of dz: that one has lost its digits when v is large
    for (Cell<R>& cell : cells) {
        const double product = target - (correct ? cell.dz * cell.dn : 0.0);
        cell.dz = cell.v * ((cell.h - mean) + common);
        cell.dn = (product - cell.n * cell.dz) * cell.inverse - cell.n;
        reach.pair(cell.z, cell.dz, cell.n, cell.dn, cell.inverse, cell.v * cell.inverse);
    }
    const double product = target - group.s * group.m - (correct ? group.ds * group.dm : 0.0);
    group.ds = group.slack_error - dq;
    group.dm = (product - group.m * group.ds) / group.s;
    group.dp = group.p * (group.fair_error - group.alpha * dq / group.q);
    reach.pair(group.s, group.ds, group.m, group.dm, 1.0 / group.s, 1.0 / group.m);
    reach.price(group.p, group.dp);
}

template <std::size_t R>
void LeafEngine<R>::move_rows(const Vector<R>& dl, Reach& reach) {
    for (std::size_t r = 0; r < R; ++r) {
        Bound& row = at_.rows[r];
        row.dt = (row.push - dl[r]) / row.slope;
        row.de = row.e * (row.delay_error - 2.0 * row.dt / (row.t + row.pole));
        row.dpi = dl[r] - row.de;
        reach.pair(row.t, row.dt, row.pi, row.dpi, 1.0 / row.t, 1.0 / row.pi);
        if (row.e > 0.0) reach.price(row.e, row.de);
    }
}

// Newton direction towards products of `target`; with the second-order term of the direction taken before.
template <std::size_t R>
Reach LeafEngine<R>::direction(double target, bool correct) {
    Vector<R> dl{};
    for (std::size_t g = 0; g < at_.groups.size(); ++g) group_side(g, target, correct, dl);
    for (std::size_t r = 0; r < R; ++r) {
        Bound& row = at_.rows[r];
        const double product = target - row.t * row.pi - (correct ? row.dt * row.dpi : 0.0);
        row.push = product / row.t + row.e * row.delay_error;
        dl[r] += row.push / row.slope - row.error;
    }
    normal_.solve(dl);
    Reach reach;
    for (std::size_t g = 0; g < at_.groups.size(); ++g) move_group(g, dl, target, correct, reach);
    move_rows(dl, reach);
    return reach;
}

template <std::size_t R>
Suggestion LeafEngine<R>::solve(std::span<const double> quota, std::span<const double> price, index_t iteration_limit,
                                double tolerance) {
    if (at_.active.empty()) return at_.answer(0, true);
    at_.load_costs(price);
    at_.load_bounds(quota);
    at_.start();
    bool stuck = false;
    double a = 0.0, b = 0.0;  // primal and dual step
    Suggestion best;
    double best_gap = std::numeric_limits<double>::infinity();
    for (index_t iteration = 0;; ++iteration) {
        const double gap = advance(a, b);
        if (gap <= tolerance) return at_.answer(iteration, true);
        if (iteration >= kKeep && gap < best_gap) {
            best = at_.answer(iteration, false);
            best_gap = gap;
        }
        if (iteration >= iteration_limit || !std::isfinite(gap) || iteration > best.iterations + kLeafPatience)
            return best.x.empty() || gap < best_gap ? at_.answer(iteration, false) : best;
        assemble();
        const Reach affine = direction(0.0, false);
        const double left = affine.product_at(at_.mu * products(), affine.primal_step(1.0), affine.dual_step(1.0));
        const double ratio = left / (at_.mu * products());
        const double centring = std::clamp(ratio * ratio * ratio, stuck ? kLeafRecentre : 0.0, 1.0);
        const Reach reach = direction(centring * at_.mu, !stuck);
        a = reach.primal_step(kLeafBoundary);
        b = reach.dual_step(kLeafBoundary);
        if (iteration >= kLeafPatience) a = b = std::min(a, b);
        stuck = std::min(a, b) < kLeafShort;
    }
}

}  // namespace

std::unique_ptr<InteriorPoint> InteriorPoint::make(const LeafProblem& problem, bool with_quotas) {
    const index_t rows = problem.own + (with_quotas ? problem.quotas : 0);
    if (rows <= 2) return std::make_unique<LeafEngine<2>>(problem, with_quotas);
    if (rows <= 4) return std::make_unique<LeafEngine<4>>(problem, with_quotas);
    if (rows <= 6) return std::make_unique<LeafEngine<6>>(problem, with_quotas);
    if (rows <= 8) return std::make_unique<LeafEngine<8>>(problem, with_quotas);
    if (rows <= 16) return std::make_unique<LeafEngine<16>>(problem, with_quotas);
    if (rows <= kMaxRows) return std::make_unique<LeafEngine<kMaxRows>>(problem, with_quotas);
    throw InvalidArgument("leaf problem: expected at most " + std::to_string(kMaxRows) +
                          " own resources and quotas together, got " + std::to_string(rows) +
                          ". Solve it with leaf_solver: cvxpy.");
}

}  // namespace tiertwin::alloc
