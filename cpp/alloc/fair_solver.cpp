// Judging iterates and the iteration of fair_solver.hpp.
#include "alloc/fair_solver.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "alloc/fair_work.hpp"

namespace tiertwin::alloc {

namespace {

constexpr double kFairBoundary = 0.995;  // of the way to the nearest bound
constexpr double kRounding = 1e-6;       // a plan that has to shrink by less than this is valued to first order
constexpr double kEnough = 0.1;          // of the tolerance, for the sum of products
constexpr index_t kWarmLimit = 20;
constexpr double kFairLeastStep = 1e-9;
constexpr index_t kFairPatience = 10;  // steps without a better plan or bound: rounding has the last word

double gain(double weight, double y, double alpha) { return weight > 0.0 ? weight * service_utility(y, alpha) : 0.0; }

double relative(double over, double scale) { return over <= 0.0 ? 0.0 : over / scale; }

}  // namespace

// What a user adds to the value, the bound, the scale and the sum of products.
void FairWork::judge(FairPart& part, const FairUser& w, std::size_t u) const {
    double least = std::numeric_limits<double>::infinity(), spent = 0.0, product = w.s * w.m;
    for (std::size_t k = first(u); k < last(u); ++k) {
        const FairOption& q = options[k];
        if (!q.open()) continue;
        least = std::min(least, q.z);
        product += q.x * q.z;
        if (!p->cost.empty()) spent += p->cost[k] * q.x;
    }
    part.product += product;
    const double price = least + w.p - w.m + w.off;
    const double share = price < 0.0 ? 1.0 : best_share(w.weight, price, w.alpha);
    part.high.add(gain(w.weight, share, w.alpha) - price * share);
    part.low.add(gain(w.weight, w.y, w.alpha));
    part.spent.add(spent * p->most[u] / unit);
    part.size.add(w.weight * service_scale(w.y, w.alpha));
    part.fullest = std::max(part.fullest, w.y);
}

// Loads and right-hand sides of the rows, and what rounding took from them; returns the factor (1, or a little less)
// that makes the plan fit.
double FairWork::add_up_sums() {
    for (std::size_t r = 0; r < row.size(); ++r) {
        FairSum all = parts[0].sums[r];
        for (std::size_t i = 1; i < parts.size(); ++i) {
            all.load += parts[i].sums[r].load;
            all.push += parts[i].sums[r].push;
        }
        row[r] = all.load;
        right[r] = all.push;
    }
    double fullest = 1.0;
    for (const FairPart& part : parts) fullest = std::max(fullest, part.fullest);
    for (std::size_t r = 0; r < rows.size(); ++r) {
        if (!rows[r].active) continue;
        rows[r].slip = rows[r].limit - row[r] - rows[r].t;
        fullest = std::max(fullest, row[r] / rows[r].limit);
    }
    for (std::size_t s = 0; s < floors.size(); ++s)
        if (floors[s].active) floors[s].slip = -row[rows.size() + s] + floors[s].shortfall - 1.0 - floors[s].over;
    return 1.0 / fullest;
}

// What the users' service is worth, less costs, when all of it is multiplied by `fits`.
double FairWork::value_at(double fits) {
    Sum low, size, spent;
    for (const FairPart& part : parts) {
        low.add(part.low.value());
        size.add(part.size.value());
        spent.add(part.spent.value());
    }
    if (fits > 1.0 - kRounding) return low.value() - fits * spent.value() - (1.0 - fits) * size.value();
    Sum exact;
    for (const FairUser& w : users)
        if (w.counts) exact.add(gain(w.weight, w.y * fits, w.alpha));
    return exact.value() - fits * spent.value();
}

// Bounds, scale and mu of this iterate; keeps the best of each. True when they are close enough.
bool FairWork::judge(double tolerance) {
    const double fits = add_up_sums();
    Sum low, high, size;
    low.add(value_at(fits));
    double product = 0.0;
    for (const FairPart& part : parts) {
        high.add(part.high.value());
        size.add(part.size.value());
        product += part.product;
    }
    for (std::size_t r = 0; r < rows.size(); ++r) {
        const FairRow& b = rows[r];
        if (!b.active) continue;
        product += b.t * b.pi;
        high.add(b.kappa > 0.0 ? delay_conjugate(b.l, 1.0, b.kappa) : b.l);
        low.add(-delay_cost(row[r] * fits, 1.0, b.kappa));
    }
    for (std::size_t s = 0; s < floors.size(); ++s) {
        const FairFloor& f = floors[s];
        const double missing = std::max(0.0, 1.0 + row[rows.size() + s] * fits);
        const double lost = p->penalty[s] * (p->floor[s] - f.unit) / unit;  // whatever the plan
        size.add(weighed ? lost + f.most * missing : lost + f.most);
        if (!f.active) continue;
        product += f.over * f.pi + f.shortfall * f.rest;
        high.add(-f.pi);
        low.add(-f.most * missing);
    }
    mu = product / pairs;
    keep_best(low.value(), high.value(), size.value(), fits);
    return best_upper - best_lower <= 0.99 * tolerance * best_scale;
}

// Far below what the tolerance asks for, nothing is won, and x / z loses its digits.
double FairWork::least_mu(double tolerance) const {
    const double enough = kEnough * tolerance * best_scale / pairs;
    return enough < mu ? enough : 0.0;
}

void FairWork::keep_best(double lower, double upper, double scale, double fits) {
    ++since_better;
    best_here = lower > best_lower;
    if (best_here) {
        since_better = 0;
        best_lower = lower;
        best_scale = scale;
        best_fits = fits;
    }
    if (upper < best_upper) {
        since_better = 0;
        best_upper = upper;
        for (std::size_t r = 0; r < rows.size(); ++r) best_l[r] = rows[r].l;
        for (std::size_t s = 0; s < floors.size(); ++s) best_pi[s] = floors[s].pi;
    }
}

FairAnswer FairWork::finish(index_t iterations) {
    FairAnswer out;
    out.iterations = iterations;
    out.x = std::move(best_x);
    for (std::size_t u = 0; u < users.size(); ++u)
        for (std::size_t k = first(u); k < last(u); ++k)
            out.x[k] = (best_here ? options[k].x : out.x[k]) * (best_fits * p->most[u]);
    fit(*p, out.x);
    out.price.resize(rows.size());
    for (std::size_t r = 0; r < rows.size(); ++r)
        out.price[r] = rows[r].active ? best_l[r] * unit / p->capacity[r] : 0.0;
    out.floor_price.resize(floors.size());
    for (std::size_t s = 0; s < floors.size(); ++s)
        out.floor_price[s] = floors[s].active    ? std::min(best_pi[s] * unit / floors[s].unit, p->penalty[s])
                             : p->floor[s] > 0.0 ? p->penalty[s]
                                                 : 0.0;
    out.load.resize(rows.size());
    out.shortfall.resize(floors.size());
    out.worth = evaluate(*p, out.x, out.load, out.shortfall);
    out.bound = price_bound(*p, {out.price, out.floor_price});
    out.gap = relative(out.bound - out.worth.value, out.worth.scale);
    return out;
}

// Predictor, corrector, step; false when no step gets further.
bool FairWork::iterate(double tolerance) {
    assemble();
    const Reach ahead = direction(false);
    const double product = mu * pairs;
    const double reached = ahead.product_at(product, ahead.primal_step(1.0), ahead.dual_step(1.0)) / product;
    const double centre = std::max(std::max(reached * reached * reached, 1e-6) * mu, least_mu(tolerance));
    correct(centre);
    const Reach reach = direction(true);
    const double primal = reach.primal_step(kFairBoundary), dual = reach.dual_step(kFairBoundary);
    if (!(std::max(primal, dual) > kFairLeastStep)) return false;
    step(primal, dual);
    return true;
}

FairSolver::FairSolver(const Options& options) : options_(options), work_(std::make_unique<FairWork>()) {}
FairSolver::~FairSolver() = default;

void FairSolver::arrange(const FairProblem& problem) {
    if (normal_ == nullptr || floor_of_ != problem.floor_of || floors_ != problem.floor.size()) {
        floor_of_ = problem.floor_of;
        floors_ = problem.floor.size();
        normal_ = nullptr;
        layout_ = std::make_unique<FairLayout>(options_, floor_of_, floors_);
        normal_ = std::make_unique<NormalMatrix>(NormalShape{layout_->of_user, layout_->of_option, layout_->row,
                                                             layout_->of_common, layout_->common_row, layout_->rows});
    }
    work_->o = layout_.get();
    work_->normal = normal_.get();
}

FairAnswer FairSolver::attempt(const FairProblem& problem, const FairStart& start, const FairLimits& limits) {
    FairWork& w = *work_;
    w.load(problem);
    const bool warm = !start.x.empty();
    warm ? w.warm(start) : w.cold();
    w.begin(start, warm);
    index_t done = 0;
    bool stopped = false;
    while (!w.judge(limits.tolerance) && done < limits.iterations && w.since_better < kFairPatience) {
        stopped = limits.stop && limits.stop();
        if (stopped || !w.iterate(limits.tolerance)) break;
        ++done;
    }
    FairAnswer answer = w.finish(done);
    answer.stopped = stopped;
    return answer;
}

// A warm start near a bound may stall; then the cold one has the steps left, and the better plan and prices count.
FairAnswer FairSolver::solve(const FairProblem& problem, const FairStart& start, const FairLimits& limits) {
    arrange(problem);
    work_->run = &limits.run;
    if (start.x.empty()) return attempt(problem, start, limits);
    FairLimits left = limits;
    left.iterations = std::min(limits.iterations, kWarmLimit);
    FairAnswer first = attempt(problem, start, left);
    left.iterations = limits.iterations - first.iterations;
    if (first.gap <= limits.tolerance || left.iterations <= 0 || first.stopped) return first;
    FairAnswer second = attempt(problem, {}, left);
    second.iterations += first.iterations;
    if (first.worth.value > second.worth.value) {
        std::swap(first.x, second.x);
        std::swap(first.load, second.load);
        std::swap(first.shortfall, second.shortfall);
        std::swap(first.worth, second.worth);
    }
    if (first.bound < second.bound) {
        std::swap(first.price, second.price);
        std::swap(first.floor_price, second.floor_price);
        std::swap(first.bound, second.bound);
    }
    second.gap = relative(second.bound - second.worth.value, second.worth.scale);
    return second;
}

}  // namespace tiertwin::alloc
