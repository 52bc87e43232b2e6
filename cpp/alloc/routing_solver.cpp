#include "alloc/routing_solver.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "alloc/formulas.hpp"
#include "alloc/newton.hpp"

namespace tiertwin::alloc {

namespace {

constexpr double kRoutingBoundary = 0.995;
constexpr double kRoutingLeastStep = 1e-9;
// At the start: room above the fullest row, share of the even split, and twice the share of the prices that is centred.
struct Opening {
    double room, even, centre;
};
constexpr Opening kCold{0.2, 1.0, 1.0};
constexpr Opening kWarm{0.05, 0.05, 0.1};

struct Demand {
    double q, dq = 0.0;          // price
    double v = 0.0, mean = 0.0;  // sum of v; v-weighted mean of g
};

struct Row {
    double s = 0.0, l = 0.0, ds = 0.0, dl = 0.0, target = 0.0;
    double slip = 0.0;  // t - load - s: what rounding took, given back by the next step
};

class Method {
  public:
    Method(const Options& options, std::span<const double> base) : o_(options), base_(base.begin(), base.end()) {}

    Split run(const SplitStart& start, const SplitGoal& goal);

  private:
    const Options& o_;
    std::vector<double> base_;
    std::optional<RoutingMatrix> normal_;  // of a_, which begin() makes
    std::vector<double> a_, f_, z_, per_f_, per_z_, v_, g_, df_, dz_, right_, ones_, load_;
    std::vector<Demand> demands_;
    std::vector<Row> rows_;
    double unit_ = 1.0, t_ = 0.0, mu_ = 0.0, pairs_ = 0.0, ones_sum_ = 0.0;
    Split best_;

    void begin(const SplitStart& start);
    void begin_prices(std::span<const double> given, double centre);
    bool judge(double tolerance);
    void right_side(double centre, bool corrector);
    void assemble();
    Reach direction(double& dt);
    void step(double primal, double dual, double dt);
    double along(std::size_t k, const std::vector<double>& of) const {
        double sum = 0.0;
        for (std::size_t e = o_.of_option[k]; e < o_.of_option[k + 1]; ++e) sum += a_[e] * of[o_.resource[e]];
        return sum;
    }
    void spread(std::size_t k, double amount, std::vector<double>& into) const {
        for (std::size_t e = o_.of_option[k]; e < o_.of_option[k + 1]; ++e) into[o_.resource[e]] += a_[e] * amount;
    }
};

void Method::begin(const SplitStart& start) {
    const std::size_t options = o_.options(), users = static_cast<std::size_t>(o_.users);
    const Opening opening = start.share.empty() ? kCold : kWarm;
    for (auto* values : {&z_, &per_f_, &per_z_, &v_, &g_, &df_, &dz_}) values->assign(options, 0.0);
    f_.resize(options);
    a_ = o_.use;
    load_ = base_;
    demands_.resize(users);
    for (std::size_t u = 0; u < users; ++u)
        for (std::size_t k = o_.of_user[u]; k < o_.of_user[u + 1]; ++k) {
            f_[k] = opening.even / static_cast<double>(o_.of_user[u + 1] - o_.of_user[u]);
            if (!start.share.empty()) f_[k] += (1.0 - opening.even) * start.share[k];
            spread(k, f_[k], load_);
        }
    unit_ = *std::max_element(load_.begin(), load_.end());
    if (!(unit_ > 0.0)) unit_ = 1.0;
    for (double& value : a_) value /= unit_;
    for (double& value : base_) value /= unit_;
    normal_.emplace(o_, a_);
    t_ = 1.0 + opening.room;
    begin_prices(start.price, opening.centre);
    pairs_ = static_cast<double>(options + base_.size());
    best_.most = std::numeric_limits<double>::infinity();
    best_.least = -best_.most;
}

// Prices of rows: the given ones, and enough in proportion to 1/s to be centred; of demands: below the cheapest option
// by what f z needs to be as large.
void Method::begin_prices(std::span<const double> given, double centre) {
    const std::size_t rows = base_.size();
    rows_.resize(rows);
    right_.resize(rows);
    double sum = 0.0, given_sum = 0.0;
    for (std::size_t r = 0; r < rows; ++r) {
        rows_[r].s = t_ - load_[r] / unit_;
        sum += 1.0 / rows_[r].s;
        if (!given.empty()) given_sum += given[r];
    }
    // mu such that prices mu/s make up half of `centre`, or all of them where none are given
    const double scale = given_sum > 0.0 ? (1.0 - 0.5 * centre) / given_sum : 0.0;
    const double mu = (given_sum > 0.0 ? 0.5 * centre : 1.0) / sum;
    for (std::size_t r = 0; r < rows; ++r)
        right_[r] = rows_[r].l = mu / rows_[r].s + (scale > 0.0 ? scale * given[r] : 0.0);
    for (std::size_t u = 0; u < demands_.size(); ++u) {
        double lowest = std::numeric_limits<double>::infinity();
        for (std::size_t k = o_.of_user[u]; k < o_.of_user[u + 1]; ++k) {
            z_[k] = along(k, right_);
            lowest = std::min(lowest, z_[k] - mu / f_[k]);
        }
        demands_[u].q = lowest;
        for (std::size_t k = o_.of_user[u]; k < o_.of_user[u + 1]; ++k) z_[k] -= lowest;
    }
}

bool Method::judge(double tolerance) {
    double product = 0.0, tightest = std::numeric_limits<double>::infinity();
    Sum least;
    for (std::size_t u = 0; u < demands_.size(); ++u) {
        double smallest = std::numeric_limits<double>::infinity();
        for (std::size_t k = o_.of_user[u]; k < o_.of_user[u + 1]; ++k) {
            smallest = std::min(smallest, z_[k]);
            product += f_[k] * z_[k];
        }
        least.add(demands_[u].q + smallest);
    }
    for (std::size_t r = 0; r < rows_.size(); ++r) {
        product += rows_[r].s * rows_[r].l;
        tightest = std::min(tightest, rows_[r].s);
        least.add(base_[r] * rows_[r].l);
    }
    mu_ = product / pairs_;
    if (t_ - tightest < best_.most) {
        best_.most = t_ - tightest;
        best_.share = f_;
    }
    if (least.value() > best_.least) {
        best_.least = least.value();
        best_.price.resize(rows_.size());
        for (std::size_t r = 0; r < rows_.size(); ++r) best_.price[r] = rows_[r].l;
    }
    return best_.most <= (1.0 + tolerance) * best_.least;
}

void Method::right_side(double centre, bool corrector) {
    std::fill(right_.begin(), right_.end(), 0.0);
    if (!corrector) load_ = base_;
    for (std::size_t u = 0; u < demands_.size(); ++u) {
        Demand& d = demands_[u];
        double sum = 0.0;
        d.v = 0.0;
        for (std::size_t k = o_.of_user[u]; k < o_.of_user[u + 1]; ++k) {
            if (!corrector) {  // divisions are dear: once an iteration
                per_f_[k] = 1.0 / f_[k];
                per_z_[k] = 1.0 / z_[k];
                v_[k] = f_[k] * per_z_[k];
            }
            g_[k] = (corrector ? (centre - df_[k] * dz_[k]) * per_f_[k] : 0.0) - z_[k];
            d.v += v_[k];
            sum += v_[k] * g_[k];
        }
        d.mean = sum / d.v;
        for (std::size_t k = o_.of_user[u]; k < o_.of_user[u + 1]; ++k) spread(k, v_[k] * (g_[k] - d.mean), right_);
        if (corrector) continue;
        for (std::size_t k = o_.of_user[u]; k < o_.of_user[u + 1]; ++k) spread(k, f_[k], load_);
        normal_->add_user(u, v_, d.v);
    }
    for (std::size_t r = 0; r < rows_.size(); ++r) {
        Row& row = rows_[r];
        row.target = (corrector ? centre - row.ds * row.dl : 0.0) - row.s * row.l;
        if (!corrector) row.slip = t_ - load_[r] - row.s;
        right_[r] += row.target / row.l - row.slip;
    }
}

void Method::assemble() {
    normal_->clear();
    right_side(0.0, false);
    for (std::size_t r = 0; r < rows_.size(); ++r) normal_->add_diagonal(r, rows_[r].s / rows_[r].l);
    normal_->factor();
    ones_.assign(rows_.size(), 1.0);
    normal_->solve(ones_);
    ones_sum_ = 0.0;
    for (const double value : ones_) ones_sum_ += value;
}

Reach Method::direction(double& dt) {
    normal_->solve(right_);
    double sum = 0.0;
    for (const double value : right_) sum += value;
    dt = sum / ones_sum_;  // prices keep their sum
    Reach reach;
    for (std::size_t r = 0; r < rows_.size(); ++r) {
        Row& row = rows_[r];
        row.dl = right_[r] -= dt * ones_[r];
        row.ds = (row.target - row.s * row.dl) / row.l;
        reach.pair(row.s, row.ds, row.l, row.dl, 1.0 / row.s, 1.0 / row.l);
    }
    for (std::size_t u = 0; u < demands_.size(); ++u) {
        Demand& d = demands_[u];
        double dearer = 0.0;
        for (std::size_t k = o_.of_user[u]; k < o_.of_user[u + 1]; ++k) {
            dz_[k] = along(k, right_);
            dearer += v_[k] * dz_[k];
        }
        d.dq = dearer / d.v - d.mean;
        for (std::size_t k = o_.of_user[u]; k < o_.of_user[u + 1]; ++k) {
            dz_[k] -= d.dq;
            df_[k] = v_[k] * (g_[k] - dz_[k]);
            reach.pair(f_[k], df_[k], z_[k], dz_[k], per_f_[k], per_z_[k]);
        }
    }
    return reach;
}

void Method::step(double primal, double dual, double dt) {
    t_ += primal * dt;
    for (Row& row : rows_) {
        row.s += primal * row.ds;
        row.l += dual * row.dl;
    }
    for (std::size_t u = 0; u < demands_.size(); ++u) demands_[u].q += dual * demands_[u].dq;
    for (std::size_t k = 0; k < f_.size(); ++k) {
        f_[k] += primal * df_[k];
        z_[k] += dual * dz_[k];
    }
}

Split Method::run(const SplitStart& start, const SplitGoal& goal) {
    begin(start);
    double tolerance = goal.loose;
    while (best_.iterations < goal.iteration_limit && !(goal.stop && goal.stop())) {
        if (judge(tolerance)) {
            if (tolerance == goal.tight || judge(goal.tight) || goal.enough(best_.share, best_.least * unit_)) break;
            tolerance = goal.tight;
        }
        assemble();
        double dt = 0.0;
        const Reach ahead = direction(dt);
        const double product = mu_ * pairs_;
        const double reached = ahead.product_at(product, ahead.primal_step(1.0), ahead.dual_step(1.0)) / product;
        right_side(std::max(reached * reached * reached, 1e-6) * mu_, true);
        const Reach reach = direction(dt);
        const double primal = reach.primal_step(kRoutingBoundary), dual = reach.dual_step(kRoutingBoundary);
        if (!(std::max(primal, dual) > kRoutingLeastStep)) break;
        step(primal, dual, dt);
        ++best_.iterations;
    }
    judge(tolerance);  // the last step may be the best
    best_.most *= unit_;
    best_.least *= unit_;
    return std::move(best_);
}

}  // namespace

Split split_evenly(const Options& options, std::span<const double> base, const SplitStart& start,
                   const SplitGoal& goal) {
    return Method(options, base).run(start, goal);
}

}  // namespace tiertwin::alloc
