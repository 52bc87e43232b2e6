#include "alloc/upper_master.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>

#include "base/error.hpp"

namespace tiertwin::alloc {

namespace {

constexpr double kUpperBoundary = 0.99;
constexpr double kUpperShort = 0.2, kUpperRecentre = 0.3;  // after a short step: aim at this share of mu
constexpr index_t kUpperPatience = 12;  // steps without a better point after which the best is the answer
constexpr double kStart = 0.1;          // mu of the first point, share of the model's spread

using Vec = std::array<double, kMostLevels>;
using Mat = std::array<Vec, kMostLevels>;

// In place: lower triangle. A pivot that rounding took is replaced; the step tolerates it.
void cholesky(Mat& a, std::size_t n) {
    for (std::size_t j = 0; j < n; ++j) {
        const double whole = a[j][j];
        for (std::size_t k = 0; k < j; ++k) a[j][j] -= a[j][k] * a[j][k];
        a[j][j] = std::sqrt(std::max(a[j][j], std::max(1e-14 * whole, 1e-300)));
        for (std::size_t i = j + 1; i < n; ++i) {
            for (std::size_t k = 0; k < j; ++k) a[i][j] -= a[i][k] * a[j][k];
            a[i][j] /= a[j][j];
        }
    }
}

void solve(const Mat& a, std::size_t n, Vec& b) {
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t k = 0; k < i; ++k) b[i] -= a[i][k] * b[k];
        b[i] /= a[i][i];
    }
    for (std::size_t i = n; i-- > 0;) {
        for (std::size_t k = i + 1; k < n; ++k) b[i] -= a[k][i] * b[k];
        b[i] /= a[i][i];
    }
}

// A variable >= 0, its multiplier, their steps and the product of the predictor's.
struct Pair {
    double v = 1.0, z = 1.0, dv = 0.0, dz = 0.0;

    [[nodiscard]] double product() const { return v * z; }
    // What the corrector wants of z per unit of v, beside -(z/v) dv.
    [[nodiscard]] double pull(double mu, bool correct) const { return (mu - v * z - (correct ? dv * dz : 0.0)) / v; }
    void move(double step) { v += step * dv, z += step * dz; }
    void reach(double& most) const { most = std::max({most, -dv / v, -dz / z}); }
};

struct Child {
    std::vector<Pair> cut;  // [K]
    std::array<Pair, kMostLevels> low, high;
    Vec x{}, dx{}, mean{}, off{};  // mean of the cuts; residual of stationarity
    Mat factor{};
    double theta = 0.0, dtheta = 0.0, sum = 0.0, weights_off = 0.0;
};

struct RowState {
    Pair slack;
    double y = 0.0, p = 0.0, dy = 0.0, dp = 0.0, curve = 0.0, off = 0.0, pull = 0.0;
};

class UpperEngine {
  public:
    explicit UpperEngine(const UpperMaster& problem) : q_(problem), j_(problem.levels), child_(problem.children) {
        for (Child& child : child_) child.cut.resize(q_.slots);
        products_ = static_cast<double>(q_.children * (q_.slots + 2 * j_) + j_);
    }
    UpperAnswer run(index_t limit, double tolerance);

  private:
    [[nodiscard]] const double* slope(std::size_t e, std::size_t k) const { return &q_.slope[(e * q_.slots + k) * j_]; }
    [[nodiscard]] double share(std::size_t e, std::size_t j) const { return q_.share[e * j_ + j]; }
    [[nodiscard]] double delay_price(std::size_t j, double y) const {
        return q_.kappa[j] > 0.0 ? q_.kappa[j] / ((1.0 - y) * (1.0 - y)) : 0.0;
    }
    void start();
    void start_child(std::size_t e);
    double residuals();
    void assemble();
    void direction(double mu, bool correct);
    Vec child_side(std::size_t e, double mu, bool correct);
    void move_child(std::size_t e, double mu, bool correct);
    [[nodiscard]] double longest() const;
    [[nodiscard]] double product_after(double step) const;
    [[nodiscard]] UpperAnswer answer(index_t iterations, double gap) const;
    template <typename F>
    void each(F&& f) const;

    const UpperMaster& q_;
    std::size_t j_;
    std::vector<Child> child_;
    std::array<RowState, kMostLevels> row_;
    Mat core_{};
    double products_ = 1.0;
};

template <typename F>
void UpperEngine::each(F&& f) const {
    for (const Child& child : child_) {
        for (const Pair& pair : child.cut) f(pair);
        for (std::size_t j = 0; j < j_; ++j) f(child.low[j]), f(child.high[j]);
    }
    for (std::size_t j = 0; j < j_; ++j) f(row_[j].slack);
}

void UpperEngine::start() {
    for (std::size_t j = 0; j < j_; ++j) {
        double most = 0.0;
        for (std::size_t e = 0; e < child_.size(); ++e) most += share(e, j);
        const double part = most > 0.0 ? 0.5 * std::min(1.0, q_.limit[j] / most) : 0.5;
        for (Child& child : child_) child.x[j] = part;
        RowState& row = row_[j];
        row.y = part * most;
        row.slack.v = q_.limit[j] - row.y;
        row.slack.z = kStart / static_cast<double>(child_.size()) / row.slack.v * std::min(1.0, q_.limit[j]);
        row.p = delay_price(j, row.y) + q_.price[j] + row.slack.z;
    }
    for (std::size_t e = 0; e < child_.size(); ++e) start_child(e);
}

void UpperEngine::start_child(std::size_t e) {
    Child& child = child_[e];
    const double mu = kStart / static_cast<double>(child_.size());
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t k = 0; k < q_.slots; ++k) {
        double value = q_.level[e * q_.slots + k];
        for (std::size_t j = 0; j < j_; ++j) value += slope(e, k)[j] * child.x[j];
        child.cut[k].v = value;
        least = std::min(least, value);
    }
    child.theta = least - mu;
    double total = 0.0;
    for (Pair& pair : child.cut) {
        pair.v -= child.theta;
        pair.z = 1.0 / pair.v;
        total += pair.z;
    }
    for (Pair& pair : child.cut) pair.z /= total;
    for (std::size_t j = 0; j < j_; ++j) {
        double left = share(e, j) * row_[j].p;
        for (std::size_t k = 0; k < q_.slots; ++k) left -= child.cut[k].z * slope(e, k)[j];
        child.low[j].v = child.x[j];
        child.high[j].v = 1.0 - child.x[j];
        child.low[j].z = std::max(left, 0.0) + mu / child.low[j].v;
        child.high[j].z = child.low[j].z - left;
        if (child.high[j].z < mu) child.high[j].z += mu, child.low[j].z += mu;
    }
}

// Residuals of what is not linear or has lost digits; returns the gap they and the products leave.
double UpperEngine::residuals() {
    double gap = 0.0;
    each([&](const Pair& pair) { gap += pair.product(); });
    for (std::size_t j = 0; j < j_; ++j) {
        RowState& row = row_[j];
        const double rest = 1.0 - row.y;
        row.off = delay_price(j, row.y) + q_.price[j] + row.slack.z - row.p;
        row.curve = (q_.kappa[j] > 0.0 ? 2.0 * q_.kappa[j] / (rest * rest * rest) : 0.0) + row.slack.z / row.slack.v;
        gap += std::abs(row.off) * row.y;
    }
    for (std::size_t e = 0; e < child_.size(); ++e) {
        Child& child = child_[e];
        child.weights_off = -1.0;
        for (const Pair& pair : child.cut) child.weights_off += pair.z;
        for (std::size_t j = 0; j < j_; ++j) {
            child.off[j] = share(e, j) * row_[j].p - child.low[j].z + child.high[j].z;
            for (std::size_t k = 0; k < q_.slots; ++k) child.off[j] -= child.cut[k].z * slope(e, k)[j];
            gap += std::abs(child.off[j]) * child.x[j];
        }
    }
    return gap;
}

void UpperEngine::assemble() {
    core_ = {};
    for (std::size_t j = 0; j < j_; ++j) core_[j][j] = 1.0 / row_[j].curve;
    for (std::size_t e = 0; e < child_.size(); ++e) {
        Child& child = child_[e];
        child.sum = 0.0;
        child.mean = {};
        for (std::size_t k = 0; k < q_.slots; ++k) {
            const double w = child.cut[k].z / child.cut[k].v;
            child.sum += w;
            for (std::size_t j = 0; j < j_; ++j) child.mean[j] += w * slope(e, k)[j];
        }
        for (std::size_t j = 0; j < j_; ++j) child.mean[j] /= child.sum;
        Mat& m = child.factor;
        m = {};
        for (std::size_t k = 0; k < q_.slots; ++k) {
            const double w = child.cut[k].z / child.cut[k].v;
            Vec g;
            for (std::size_t j = 0; j < j_; ++j) g[j] = slope(e, k)[j] - child.mean[j];
            for (std::size_t i = 0; i < j_; ++i)
                for (std::size_t j = 0; j <= i; ++j) m[i][j] += w * g[i] * g[j];
        }
        for (std::size_t j = 0; j < j_; ++j)
            m[j][j] += child.low[j].z / child.low[j].v + child.high[j].z / child.high[j].v;
        cholesky(m, j_);
        for (std::size_t j = 0; j < j_; ++j) {  // S M^-1 S, column by column
            if (share(e, j) == 0.0) continue;
            Vec column{};
            column[j] = share(e, j);
            solve(m, j_, column);
            for (std::size_t i = j; i < j_; ++i) core_[i][j] += share(e, i) * column[i];
        }
    }
    cholesky(core_, j_);
}

// M^-1 times the right side of a child, without row prices; dx keeps it.
Vec UpperEngine::child_side(std::size_t e, double mu, bool correct) {
    Child& child = child_[e];
    Vec b;
    for (std::size_t j = 0; j < j_; ++j)
        b[j] = -child.off[j] - child.mean[j] * child.weights_off + child.low[j].pull(mu, correct) -
               child.high[j].pull(mu, correct);
    child.dtheta = -child.weights_off;
    for (std::size_t k = 0; k < q_.slots; ++k) {
        const double h = child.cut[k].pull(mu, correct);
        child.dtheta -= h;
        for (std::size_t j = 0; j < j_; ++j) b[j] += (slope(e, k)[j] - child.mean[j]) * h;
    }
    return b;
}

void UpperEngine::move_child(std::size_t e, double mu, bool correct) {
    Child& child = child_[e];
    double dtheta = child.dtheta / child.sum;
    for (std::size_t j = 0; j < j_; ++j) dtheta += child.mean[j] * child.dx[j];
    for (std::size_t k = 0; k < q_.slots; ++k) {
        Pair& pair = child.cut[k];
        const double h = pair.pull(mu, correct);
        double ds = -dtheta;
        for (std::size_t j = 0; j < j_; ++j) ds += slope(e, k)[j] * child.dx[j];
        pair.dz = h - pair.z / pair.v * ds;
        pair.dv = ds;
    }
    child.dtheta = dtheta;
    for (std::size_t j = 0; j < j_; ++j) {
        Pair &low = child.low[j], &high = child.high[j];
        low.dz = low.pull(mu, correct) - low.z / low.v * child.dx[j];
        high.dz = high.pull(mu, correct) + high.z / high.v * child.dx[j];
        low.dv = child.dx[j];
        high.dv = -child.dx[j];
    }
}

void UpperEngine::direction(double mu, bool correct) {
    Vec dp{};
    std::vector<Vec> side(child_.size());
    for (std::size_t e = 0; e < child_.size(); ++e) {
        side[e] = child_side(e, mu, correct);
        Vec b = side[e];
        solve(child_[e].factor, j_, b);
        for (std::size_t j = 0; j < j_; ++j) dp[j] += share(e, j) * b[j];
    }
    for (std::size_t j = 0; j < j_; ++j) {
        row_[j].pull = row_[j].slack.pull(mu, correct);
        dp[j] += (row_[j].off + row_[j].pull) / row_[j].curve;
    }
    solve(core_, j_, dp);
    for (RowState& row : row_) row.dy = 0.0;
    for (std::size_t e = 0; e < child_.size(); ++e) {
        Vec b = side[e];
        for (std::size_t j = 0; j < j_; ++j) b[j] -= share(e, j) * dp[j];
        solve(child_[e].factor, j_, b);
        child_[e].dx = b;
        for (std::size_t j = 0; j < j_; ++j) row_[j].dy += share(e, j) * b[j];
        move_child(e, mu, correct);
    }
    for (std::size_t j = 0; j < j_; ++j) {
        RowState& row = row_[j];
        row.dp = dp[j];
        row.slack.dz = row.pull + row.slack.z / row.slack.v * row.dy;
        row.slack.dv = -row.dy;
    }
}

double UpperEngine::longest() const {
    double most = 0.0;
    each([&](const Pair& pair) { pair.reach(most); });
    return most;
}

double UpperEngine::product_after(double step) const {
    double sum = 0.0;
    each([&](const Pair& pair) { sum += (pair.v + step * pair.dv) * (pair.z + step * pair.dz); });
    return sum;
}

UpperAnswer UpperEngine::run(index_t limit, double tolerance) {
    start();
    UpperAnswer best;
    best.gap = std::numeric_limits<double>::infinity();
    bool stuck = false;
    for (index_t iteration = 0;; ++iteration) {
        const double gap = residuals();
        if (gap < best.gap) best = answer(iteration, gap);
        if (!(gap > tolerance) || iteration >= limit || iteration > best.iterations + kUpperPatience) break;
        assemble();
        direction(0.0, false);
        double now = 0.0;
        each([&](const Pair& pair) { now += pair.product(); });
        const double ratio = product_after(std::min(1.0, 1.0 / std::max(longest(), 1e-300))) / now;
        const double centring = std::clamp(ratio * ratio * ratio, stuck ? kUpperRecentre : 0.0, 1.0);
        direction(centring * now / products_, !stuck);
        const double step = std::min(1.0, kUpperBoundary / std::max(longest(), 1e-300));
        stuck = step < kUpperShort;
        for (Child& child : child_) {
            for (Pair& pair : child.cut) pair.move(step);
            for (std::size_t j = 0; j < j_; ++j) {
                child.low[j].move(step), child.high[j].move(step);
                child.x[j] = child.low[j].v;
            }
            child.theta += step * child.dtheta;
        }
        for (std::size_t j = 0; j < j_; ++j) {
            row_[j].y += step * row_[j].dy, row_[j].p += step * row_[j].dp;
            row_[j].slack.move(step);
        }
    }
    return best;
}

UpperAnswer UpperEngine::answer(index_t iterations, double gap) const {
    UpperAnswer a;
    a.iterations = iterations;
    a.gap = gap;
    for (const Child& child : child_) {
        a.x.insert(a.x.end(), child.x.begin(), child.x.begin() + static_cast<std::ptrdiff_t>(j_));
        for (const Pair& pair : child.cut) a.weight.push_back(pair.z);
    }
    for (std::size_t j = 0; j < j_; ++j) a.price.push_back(row_[j].p);
    return a;
}

void require(const char* name, std::size_t came, std::size_t expected) {
    if (came != expected)
        throw InvalidArgument(std::string(name) + ": expected " + std::to_string(expected) + " numbers, got " +
                              std::to_string(came));
}

}  // namespace

UpperAnswer solve_upper(const UpperMaster& q, index_t iteration_limit, double tolerance) {
    if (q.levels < 1 || q.levels > kMostLevels || q.children < 1 || q.slots < 1)
        throw InvalidArgument("upper model: expected at least one child and cut and 1 to " +
                              std::to_string(kMostLevels) + " components, got " + std::to_string(q.levels));
    require("level", q.level.size(), q.children * q.slots);
    require("slope", q.slope.size(), q.children * q.slots * q.levels);
    require("share", q.share.size(), q.children * q.levels);
    for (const auto& [name, values] : {std::pair{"limit", q.limit}, {"kappa", q.kappa}, {"price", q.price}})
        require(name, values.size(), q.levels);
    for (std::size_t j = 0; j < q.levels; ++j)
        if (!(q.limit[j] > 0.0) || (q.kappa[j] > 0.0 && !(q.limit[j] < 1.0)))
            throw InvalidArgument("limit[" + std::to_string(j) +
                                  "]: expected a number above 0, and below 1 where kappa is above 0, got " +
                                  std::to_string(q.limit[j]));
    return UpperEngine(q).run(iteration_limit, tolerance);
}

}  // namespace tiertwin::alloc
