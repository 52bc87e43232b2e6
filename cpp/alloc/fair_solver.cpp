#include "alloc/fair_solver.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "alloc/formulas.hpp"
#include "alloc/newton.hpp"

namespace tiertwin::alloc {

namespace {

constexpr double kRoom = 0.5;        // share of every limit that the cold start leaves free, at least
constexpr double kWarmBlend = 0.02;  // of the cold start in a warm one, which keeps it inside the bounds
constexpr double kColdSlack = 0.1, kWarmSlack = 0.01;  // least reduced price at the start, over the price of service
constexpr double kLeastPrice = 1e-3;                   // of a row at the start, over the mean
constexpr double kBoundary = 0.995;                    // of the way to the nearest bound
constexpr double kLeastFall = 0.1;                     // to this share a price of service may fall in a step
constexpr double kSmall = 1e-4;  // of the mean worth: below it users and rows have a smaller part of mu
constexpr index_t kWarmLimit = 20;
constexpr double kLeastStep = 1e-9;
constexpr index_t kPatience = 10;  // steps without a better plan or bound: rounding has the last word

struct User {
    bool counts;
    double part;           // of mu: the products of this user are to be mu times this
    double weight, alpha;  // scaled
    double s, m, p, y;     // slack of the demand, its price, price of service, service
    double off = 0;        // l.a + cost + m - p - z, alike for all options: 0 unless p was kept from falling too far
    double ds = 0, dm = 0, dp = 0, dy = 0;
    double target, base, curve;  // right-hand side of s m; delta = base - curve * dy
    double v, shift, damp;       // sum of v; delta where prices stand still; 1 / (1 + v * curve)
    double still;                // dy where prices stand still
    double error;                // of p y^alpha = weight
};

struct Limit {
    bool active;
    double t, l, dt = 0, dl = 0, target = 0;
    double part = 0;  // of mu, as for users
    double slip = 0;  // 1 - load - t: what rounding took, given back by the next step
};

}  // namespace

struct FairSolver::Work {
    const Options& o;
    NormalMatrix& normal;
    const FairProblem* p = nullptr;
    double unit = 1.0;
    std::vector<double> a, x, z, per_x, per_z, v, g, dx, dz, right, best_x, best_l, row;
    std::vector<User> users;
    std::vector<Limit> rows;
    double mu = 0.0, pairs = 0.0, lower = 0.0, upper = 0.0;
    double best_lower = 0.0, best_upper = 0.0, best_scale = 0.0;  // the scale is that of the best plan
    index_t since_better = 0;

    Work(const Options& options, NormalMatrix& matrix) : o(options), normal(matrix) {}

    std::size_t first(std::size_t u) const { return o.of_user[u]; }
    std::size_t last(std::size_t u) const { return o.of_user[u + 1]; }

    // sum over the entries of option k of a times `of`
    double along(std::size_t k, const std::vector<double>& of) const {
        double sum = 0.0;
        for (std::size_t e = o.of_option[k]; e < o.of_option[k + 1]; ++e) sum += a[e] * of[o.resource[e]];
        return sum;
    }
    void spread(std::size_t k, double amount, std::vector<double>& into) const {
        for (std::size_t e = o.of_option[k]; e < o.of_option[k + 1]; ++e) into[o.resource[e]] += a[e] * amount;
    }

    void load(const FairProblem& problem);
    void cold();
    void warm(const FairStart& start);
    void begin(std::span<const double> price, bool warm);
    void settle_prices(double slack);
    double find_slips();
    bool judge(double tolerance);
    void assemble();
    void right_side(double centre, bool corrector);
    void prepare(User& w, std::size_t u, double centre, bool corrector);
    Reach direction();
    void direct(User& w, std::size_t u, Reach& reach);
    void step(double primal, double dual);
    FairAnswer finish(index_t iterations);
};

void FairSolver::Work::load(const FairProblem& problem) {
    p = &problem;
    const std::size_t k_all = o.options(), r_all = problem.capacity.size(), u_all = problem.most.size();
    a.resize(o.resource.size());
    for (auto* values : {&x, &z, &per_x, &per_z, &v, &g, &dx, &dz, &best_x}) values->assign(k_all, 0.0);
    right.assign(r_all, 0.0);
    row.assign(r_all, 0.0);
    rows.assign(r_all, {});
    for (std::size_t r = 0; r < r_all; ++r)
        rows[r].active = problem.capacity[r] > 0.0 && std::isfinite(problem.capacity[r]);
    users.assign(u_all, {});
    for (std::size_t u = 0; u < u_all; ++u) {
        users[u].counts = problem.most[u] > 0.0;
        users[u].alpha = problem.alpha[u];
        for (std::size_t k = first(u); k < last(u); ++k)
            for (std::size_t e = o.of_option[k]; e < o.of_option[k + 1]; ++e) {
                const std::size_t r = o.resource[e];
                a[e] = rows[r].active ? o.use[e] * problem.most[u] / problem.capacity[r] : 0.0;
            }
    }
}

// Everybody's demand split evenly over its open options, then halved, and options scaled down by their fullest row.
void FairSolver::Work::cold() {
    std::fill(row.begin(), row.end(), 0.0);
    for (std::size_t u = 0; u < users.size(); ++u) {
        if (!users[u].counts) continue;
        double count = 0.0;
        for (std::size_t k = first(u); k < last(u); ++k) count += p->open[k];
        for (std::size_t k = first(u); k < last(u); ++k) {
            x[k] = p->open[k] ? 1.0 / count : 0.0;
            if (p->open[k]) spread(k, x[k], row);
        }
    }
    for (std::size_t k = 0; k < x.size(); ++k) {
        double fullest = 1.0;
        for (std::size_t e = o.of_option[k]; e < o.of_option[k + 1]; ++e)
            if (a[e] > 0.0) fullest = std::max(fullest, row[o.resource[e]]);
        x[k] *= kRoom / fullest;
    }
}

void FairSolver::Work::warm(const FairStart& start) {
    cold();
    best_x.assign(start.x.begin(), start.x.end());
    fit(*p, best_x);
    for (std::size_t u = 0; u < users.size(); ++u)
        for (std::size_t k = first(u); k < last(u); ++k)
            if (p->open[k]) x[k] = kWarmBlend * x[k] + (1.0 - kWarmBlend) * best_x[k] / p->most[u];
}

// Weights in units of the mean marginal worth at the start; prices of rows as given, or what service on them is worth.
void FairSolver::Work::begin(std::span<const double> price, bool warm) {
    std::fill(row.begin(), row.end(), 0.0);
    pairs = 0.0;
    double worth_all = 0.0;
    for (std::size_t u = 0; u < users.size(); ++u) {
        User& w = users[u];
        if (!w.counts) continue;
        w.y = 0.0;
        for (std::size_t k = first(u); k < last(u); ++k) {
            if (!p->open[k]) continue;
            w.y += x[k];
            spread(k, x[k], row);
            w.part += 1.0;
        }
        w.s = 1.0 - w.y;
        w.weight = p->weight[u] * std::exp((1.0 - w.alpha) * std::log(p->most[u]));
        worth_all += w.weight * marginal_scale(w.y, w.alpha);
    }
    unit = worth_all > 0.0 ? worth_all / static_cast<double>(users.size()) : 1.0;
    std::fill(right.begin(), right.end(), 0.0);
    for (std::size_t u = 0; u < users.size(); ++u) {
        User& w = users[u];
        if (!w.counts) continue;
        w.weight /= unit;
        const double worth_here = w.weight * marginal_scale(w.y, w.alpha), paid = worth_here / w.y;
        const double products = w.part + 1.0;
        w.part = std::min(1.0, worth_here / kSmall);
        pairs += products * w.part;
        for (std::size_t k = first(u); k < last(u); ++k)
            if (p->open[k]) spread(k, paid * x[k], right);
    }
    for (std::size_t r = 0; r < rows.size(); ++r) {
        Limit& b = rows[r];
        if (!b.active) {
            right[r] = 0.0;
            continue;
        }
        b.t = 1.0 - row[r];
        const double mean = worth_all / unit / static_cast<double>(rows.size());
        b.part = std::clamp(right[r] / (kSmall * mean), 1e-40, 1.0);
        pairs += b.part;
        right[r] =
            std::max(warm && !price.empty() ? price[r] * p->capacity[r] / unit : right[r], kLeastPrice * mean * b.part);
    }
    best_lower = -std::numeric_limits<double>::infinity();
    best_upper = std::numeric_limits<double>::infinity();
    best_l.assign(rows.size(), 0.0);
    since_better = 0;
    settle_prices(warm ? kWarmSlack : kColdSlack);
}

// Service, slacks and the price of service follow from x; z from the prices of the rows, `slack` above 0.
void FairSolver::Work::settle_prices(double slack) {
    for (std::size_t u = 0; u < users.size(); ++u) {
        User& w = users[u];
        if (!w.counts) continue;
        double cheapest = std::numeric_limits<double>::infinity();
        for (std::size_t k = first(u); k < last(u); ++k) {
            if (!p->open[k]) continue;
            z[k] = along(k, right) + p->cost_of(k) * p->most[u] / unit;
            cheapest = std::min(cheapest, z[k]);
        }
        w.p = w.alpha == 0.0 ? w.weight : w.weight * std::exp(-w.alpha * std::log(w.y));
        const double room = slack * w.p;
        w.m = std::max(room, w.p - cheapest + room);
        for (std::size_t k = first(u); k < last(u); ++k)
            if (p->open[k]) z[k] += w.m - w.p;
    }
    for (std::size_t r = 0; r < rows.size(); ++r) rows[r].l = right[r];
}

// What rounding took from the rows; returns the factor (1, or a little less) that makes the plan fit.
double FairSolver::Work::find_slips() {
    std::fill(row.begin(), row.end(), 0.0);
    for (std::size_t u = 0; u < users.size(); ++u)
        if (users[u].counts)
            for (std::size_t k = first(u); k < last(u); ++k)
                if (p->open[k]) spread(k, x[k], row);
    double fullest = 1.0;
    for (const User& w : users)
        if (w.counts) fullest = std::max(fullest, w.y);
    for (std::size_t r = 0; r < rows.size(); ++r) {
        if (!rows[r].active) continue;
        rows[r].slip = 1.0 - row[r] - rows[r].t;
        fullest = std::max(fullest, row[r]);
    }
    return 1.0 / fullest;
}

// Bounds, scale and mu of this iterate; keeps the best of each. True when they are close enough.
bool FairSolver::Work::judge(double tolerance) {
    Sum low, high, size;
    double product = 0.0;
    const double fits = find_slips();
    for (std::size_t u = 0; u < users.size(); ++u) {
        const User& w = users[u];
        if (!w.counts) continue;
        double least = std::numeric_limits<double>::infinity(), spent = 0.0;
        for (std::size_t k = first(u); k < last(u); ++k) {
            if (!p->open[k]) continue;
            least = std::min(least, z[k]);
            product += x[k] * z[k];
            spent += p->cost_of(k) * x[k];
        }
        product += w.s * w.m;
        const double price = least + w.p - w.m + w.off, share = best_share(w.weight, price, w.alpha);
        low.add(w.weight * utility(w.y * fits, w.alpha) - spent * fits * p->most[u] / unit);
        high.add(w.weight * utility(share, w.alpha) - price * share);
        size.add(w.weight * marginal_scale(w.y, w.alpha));
    }
    for (const Limit& b : rows) {
        if (!b.active) continue;
        product += b.t * b.l;
        high.add(b.l);
    }
    mu = product / pairs;
    lower = low.value();
    upper = high.value();
    ++since_better;
    if (lower > best_lower) {
        since_better = 0;
        best_lower = lower;
        best_scale = size.value();
        best_x = x;
        if (fits < 1.0)
            for (double& rate : best_x) rate *= fits;
    }
    if (upper < best_upper) {
        since_better = 0;
        best_upper = upper;
        for (std::size_t r = 0; r < rows.size(); ++r) best_l[r] = rows[r].l;
    }
    return best_upper - best_lower <= 0.99 * tolerance * best_scale;
}

void FairSolver::Work::prepare(User& w, std::size_t u, double centre, bool corrector) {
    double sum = 0.0;
    w.v = 0.0;
    for (std::size_t k = first(u); k < last(u); ++k) {
        if (!p->open[k]) continue;
        if (!corrector) {  // divisions are dear: once an iteration
            per_x[k] = 1.0 / x[k];
            per_z[k] = 1.0 / z[k];
            v[k] = x[k] * per_z[k];
        }
        g[k] = (corrector ? (centre * w.part - dx[k] * dz[k]) * per_x[k] : 0.0) - z[k];
        w.v += v[k];
        sum += v[k] * g[k];
    }
    w.target = (corrector ? centre * w.part - w.ds * w.dm : 0.0) - w.s * w.m;
    w.error = w.alpha == 0.0 ? 0.0 : fair_error(w.weight, w.p, w.y, w.alpha);
    if (corrector && w.alpha == 1.0) w.error -= w.dp * w.dy / (w.p * w.y);
    w.base = (w.alpha == 0.0 ? 0.0 : w.p * w.error) - w.target / w.s - w.off;
    w.curve = w.alpha * w.p / w.y + w.m / w.s;
    w.damp = 1.0 / (1.0 + w.v * w.curve);
    w.still = (sum + w.v * w.base) * w.damp;
    w.shift = w.base - w.curve * w.still;
}

void FairSolver::Work::right_side(double centre, bool corrector) {
    std::fill(right.begin(), right.end(), 0.0);
    for (std::size_t u = 0; u < users.size(); ++u) {
        if (!users[u].counts) continue;
        prepare(users[u], u, centre, corrector);
        for (std::size_t k = first(u); k < last(u); ++k)
            if (p->open[k]) spread(k, v[k] * (g[k] + users[u].shift), right);
        if (!corrector) normal.add_user(u, a, v, users[u].v, users[u].damp);
    }
    for (std::size_t r = 0; r < rows.size(); ++r) {
        Limit& b = rows[r];
        if (!b.active) {
            right[r] = 0.0;
            continue;
        }
        b.target = (corrector ? centre * b.part - b.dt * b.dl : 0.0) - b.t * b.l;
        right[r] += b.target / b.l - b.slip;
    }
}

void FairSolver::Work::assemble() {
    normal.clear();
    right_side(0.0, false);
    for (std::size_t r = 0; r < rows.size(); ++r) normal.add_diagonal(r, rows[r].active ? rows[r].t / rows[r].l : 1.0);
    normal.factor();
}

void FairSolver::Work::direct(User& w, std::size_t u, Reach& reach) {
    double dearer = 0.0;
    for (std::size_t k = first(u); k < last(u); ++k) {
        if (!p->open[k]) continue;
        dz[k] = along(k, right);
        dearer += v[k] * dz[k];
    }
    w.dy = w.still - dearer * w.damp;
    const double delta = w.base - w.curve * w.dy;
    for (std::size_t k = first(u); k < last(u); ++k) {
        if (!p->open[k]) continue;
        dz[k] -= delta;
        dx[k] = v[k] * (g[k] - dz[k]);
        reach.pair(x[k], dx[k], z[k], dz[k], per_x[k], per_z[k]);
    }
    w.ds = -w.dy;
    w.dm = (w.target + w.m * w.dy) / w.s;
    w.dp = w.alpha == 0.0 ? 0.0 : w.p * (w.error - w.alpha * w.dy / w.y);
    reach.pair(w.s, w.ds, w.m, w.dm, 1.0 / w.s, 1.0 / w.m);
}

Reach FairSolver::Work::direction() {
    normal.solve(right);
    Reach reach;
    for (std::size_t u = 0; u < users.size(); ++u)
        if (users[u].counts) direct(users[u], u, reach);
    for (std::size_t r = 0; r < rows.size(); ++r) {
        Limit& b = rows[r];
        if (!b.active) continue;
        b.dl = right[r];
        b.dt = (b.target - b.t * b.dl) / b.l;
        reach.pair(b.t, b.dt, b.l, b.dl, 1.0 / b.t, 1.0 / b.l);
    }
    return reach;
}

void FairSolver::Work::step(double primal, double dual) {
    for (std::size_t u = 0; u < users.size(); ++u) {
        User& w = users[u];
        if (!w.counts) continue;
        w.y = 0.0;
        for (std::size_t k = first(u); k < last(u); ++k) {
            if (!p->open[k]) continue;
            x[k] += primal * dx[k];
            z[k] += dual * dz[k];
            w.y += x[k];
        }
        w.s += primal * w.ds;
        w.m += dual * w.dm;
        const double linear = w.p + dual * w.dp;
        w.p = std::max(linear, kLeastFall * w.p);
        w.off = (1.0 - dual) * w.off + linear - w.p;
    }
    for (Limit& b : rows) {
        if (!b.active) continue;
        b.t += primal * b.dt;
        b.l += dual * b.dl;
    }
}

FairAnswer FairSolver::Work::finish(index_t iterations) {
    FairAnswer out;
    out.iterations = iterations;
    out.x = std::move(best_x);
    for (std::size_t u = 0; u < users.size(); ++u)
        for (std::size_t k = first(u); k < last(u); ++k) out.x[k] *= p->most[u];
    fit(*p, out.x);
    out.price.resize(rows.size());
    for (std::size_t r = 0; r < rows.size(); ++r)
        out.price[r] = rows[r].active ? best_l[r] * unit / p->capacity[r] : 0.0;
    out.load.resize(rows.size());
    out.worth = evaluate(*p, out.x, out.load);
    out.bound = price_bound(*p, out.price);
    const double over = out.bound - out.worth.value;
    out.gap = over <= 0.0 ? 0.0 : over / out.worth.scale;
    return out;
}

FairSolver::FairSolver(const Options& options)
    : options_(options), normal_(options), work_(std::make_unique<Work>(options_, normal_)) {}
FairSolver::~FairSolver() = default;

FairAnswer FairSolver::attempt(const FairProblem& problem, const FairStart& start, index_t iteration_limit,
                               double tolerance) {
    Work& w = *work_;
    w.load(problem);
    const bool warm = !start.x.empty();
    warm ? w.warm(start) : w.cold();
    w.begin(start.price, warm);
    index_t done = 0;
    while (!w.judge(tolerance) && done < iteration_limit && w.since_better < kPatience) {
        w.assemble();
        const Reach ahead = w.direction();
        const double product = w.mu * w.pairs;
        const double reached = ahead.product_at(product, ahead.primal_step(1.0), ahead.dual_step(1.0)) / product;
        const double centre = std::max(reached * reached * reached, 1e-6) * w.mu;
        w.right_side(centre, true);
        const Reach reach = w.direction();
        const double primal = reach.primal_step(kBoundary), dual = reach.dual_step(kBoundary);
        if (!(std::max(primal, dual) > kLeastStep)) break;
        w.step(primal, dual);
        ++done;
    }
    return w.finish(done);
}

// A warm start near a bound may stall; then the cold one has the steps left, and the better plan and prices count.
FairAnswer FairSolver::solve(const FairProblem& problem, const FairStart& start, index_t iteration_limit,
                             double tolerance) {
    if (start.x.empty()) return attempt(problem, start, iteration_limit, tolerance);
    FairAnswer first = attempt(problem, start, std::min(iteration_limit, kWarmLimit), tolerance);
    if (first.gap <= tolerance || first.iterations >= iteration_limit) return first;
    FairAnswer second = attempt(problem, {}, iteration_limit - first.iterations, tolerance);
    second.iterations += first.iterations;
    if (first.worth.value > second.worth.value) {
        std::swap(first.x, second.x);
        std::swap(first.load, second.load);
        std::swap(first.worth, second.worth);
    }
    if (first.bound < second.bound) {
        std::swap(first.price, second.price);
        std::swap(first.bound, second.bound);
    }
    const double over = second.bound - second.worth.value;
    second.gap = over <= 0.0 ? 0.0 : over / second.worth.scale;
    return second;
}

}  // namespace tiertwin::alloc
