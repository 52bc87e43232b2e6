// The rooms of the solver of fair_solver.hpp: what it keeps of users, rows and floors, and its steps.
//
//   fair_start.cpp   scaling, cold and warm starts         fair_step.cpp   directions and steps
//   fair_solver.cpp  judging iterates, the iteration
//
// Internal: nothing else includes this file.
#pragma once

#include <span>
#include <vector>

#include "alloc/fair_layout.hpp"
#include "alloc/fair_solver.hpp"
#include "alloc/formulas.hpp"
#include "alloc/newton.hpp"

namespace tiertwin::alloc {

struct FairOption {
    double x = 0, z = 0;      // 0: closed
    double per_x = 0, v = 0;  // 1 / x, x / z
    double dx = 0, dz = 0;    // in the place of dx the right-hand side of x z, from correct() to direct()
    [[nodiscard]] bool open() const { return x > 0.0; }
};

struct FairUser {
    bool counts;
    double part = 0;       // of mu: the products of this user are to be mu times this
    double weight, alpha;  // scaled
    double s, m, p, y;     // slack of the demand, its price, price of service, service
    double off = 0;        // l.a + cost + m - p - z, alike for all options: 0 unless p was kept from falling
    double dy = 0, dm = 0, dp = 0;
    double target, base, curve;  // right-hand side of s m; delta = base - curve * dy
    double v, damp;              // sum of v; 1 / (1 + v * curve)
    double still;                // dy where prices stand still
    double error;                // of p y^alpha = weight
};

struct FairRow {
    bool active;
    double t, l, dt = 0, dl = 0, target = 0;
    double part = 0;  // of mu, as for users
    double slip = 0;  // limit - load - t: what rounding took, given back by the next step
    double limit = 1, kappa = 0;
    double pi = 0, dpi = 0;      // price of the limit; l where nothing waits
    double e = 0, de = 0;        // price of waiting: e (1 - load)^2 = kappa
    double off = 0;              // l - pi - e: 0 unless e was kept from falling too far
    double slope = 0, push = 0;  // dt = (push - dl) / slope

    [[nodiscard]] double away() const { return t + (1.0 - limit); }  // from the pole
};

// A floor in units of what is asked, or of the most there can be where that is less.
struct FairFloor {
    bool active = false;
    double unit = 0, most = 0;                // in rate; highest price
    double over, shortfall, pi, rest;         // slack, what is missing, their prices; rest = most - pi
    double d_over = 0, d_short = 0, dpi = 0;  // d rest = -dpi
    double to_over = 0, to_short = 0;         // right-hand sides of over pi and shortfall rest
    double part = 1, slip = 0;
};

// What a row gets from the options: load, and the right-hand side of its line.
struct FairSum {
    double load = 0, push = 0;
};

// What one part of the users adds up; parts are fixed by the size of the problem, and added in their order.
struct FairPart {
    std::size_t from = 0, to = 0;  // users
    NormalPart normal;
    std::vector<double> rows, v;  // v: of one user
    std::vector<FairSum> sums;
    Reach reach;
    Sum low, high, size, spent;
    double product = 0.0, fullest = 1.0;
};

struct FairWork {
    const FairLayout* o = nullptr;
    NormalMatrix* normal = nullptr;
    const RunParts* run = nullptr;
    const FairProblem* p = nullptr;
    double unit = 1.0;
    std::vector<double> a, common;  // own and common entries, scaled
    std::vector<FairOption> options;
    std::vector<FairUser> users;
    std::vector<FairRow> rows;
    std::vector<FairFloor> floors;
    std::vector<FairPart> parts;
    std::vector<double> right, row;  // of resources, then of floors
    double mu = 0.0, pairs = 0.0;
    std::vector<double> best_x, best_l, best_pi;
    double best_lower = 0.0, best_upper = 0.0;
    double best_scale = 0.0, best_fits = 1.0;  // those of the best plan
    bool best_here = false;                    // the best plan is where the options are; else best_x
    bool weighed = false;                      // some user has a weight
    index_t since_better = 0;

    std::size_t first(std::size_t u) const { return o->of_user[u]; }
    std::size_t last(std::size_t u) const { return o->of_user[u + 1]; }

    // sum over the own entries of option k of a times `of`
    double along(std::size_t k, const double* of) const {
        const std::uint32_t* rows_of = o->row.data();
        double sum = 0.0;
        for (std::size_t e = o->of_option[k], to = o->of_option[k + 1]; e < to; ++e) sum += a[e] * of[rows_of[e]];
        return sum;
    }
    void spread(std::size_t k, double amount, double* into) const {
        const std::uint32_t* rows_of = o->row.data();
        for (std::size_t e = o->of_option[k], to = o->of_option[k + 1]; e < to; ++e) into[rows_of[e]] += a[e] * amount;
    }
    // The same over what all options of user u use alike, its floor among them.
    double along_common(std::size_t u, const double* of) const {
        double sum = 0.0;
        for (std::size_t c = o->of_common[u]; c < o->of_common[u + 1]; ++c) sum += common[c] * of[o->common_row[c]];
        return sum;
    }
    void spread_common(std::size_t u, double amount, double* into) const {
        for (std::size_t c = o->of_common[u]; c < o->of_common[u + 1]; ++c)
            into[o->common_row[c]] += common[c] * amount;
    }
    void spread_sums(std::size_t k, double load, double push, FairSum* into) const {
        const std::uint32_t* rows_of = o->row.data();
        for (std::size_t e = o->of_option[k], to = o->of_option[k + 1]; e < to; ++e) {
            FairSum& sum = into[rows_of[e]];
            sum.load += a[e] * load;
            sum.push += a[e] * push;
        }
    }
    // A share of user u is so much of its floor; 0 without one.
    double pull(std::size_t u) const {
        const std::int32_t s = p->floor_at(u);
        return s < 0 ? 0.0 : p->most[u] / floors[static_cast<std::size_t>(s)].unit;
    }
    double pulled(std::size_t u, double y) const {  // what its floor pays for a service of y
        const std::int32_t s = p->floor_at(u);
        return s < 0 ? 0.0 : pull(u) * floors[static_cast<std::size_t>(s)].pi * y;
    }

    template <typename F>
    void each_part(F&& f) {
        if (parts.size() > 1 && *run) return (*run)(parts.size(), [&](std::size_t i) { f(parts[i]); });
        for (FairPart& part : parts) f(part);
    }
    template <typename F>
    void each_user(const FairPart& part, F&& f) {
        for (std::size_t u = part.from; u < part.to; ++u)
            if (users[u].counts) f(users[u], u);
    }
    void add_up_rows();  // row = sum of the parts' rows, floors behind

    void load(const FairProblem& problem);
    void load_floors();
    void load_entries(std::size_t u);
    void cold();
    void warm(const FairStart& start);
    void begin(const FairStart& start, bool warm);
    double weigh();
    void open_floors(double worth_all);
    void share_parts();
    void open_rows(std::span<const double> price, double worth_all);
    void warm_floors(std::span<const double> price);
    void settle_prices(double slack);

    // One pass over the users moves them, judges where they are and prepares what comes next.
    void look(FairPart& part, bool moves, double primal, double dual);
    void judge(FairPart& part, const FairUser& w, std::size_t u) const;
    double add_up_sums();
    bool judge(double tolerance);
    double value_at(double fits);
    [[nodiscard]] double least_mu(double tolerance) const;
    void keep_best(double lower, double upper, double scale, double fits);

    bool iterate(double tolerance);
    void assemble();
    void correct(double centre);
    void prepare(FairUser& w, std::size_t u);
    void correct(FairUser& w, std::size_t u, double centre);
    void settle(FairUser& w, double sum);
    void prepare(FairRow& b, double centre, bool corrector, double& right_r);
    void prepare(FairFloor& f, double centre, bool corrector, double& right_s);
    [[nodiscard]] Reach direction(bool corrector);
    void direct(FairUser& w, std::size_t u, bool corrector, Reach& reach);
    void direct(FairRow& b, double dl, Reach& reach);
    void direct(FairFloor& f, double dpi, Reach& reach);
    void step(double primal, double dual);
    void step(FairUser& w, std::size_t u, double primal, double dual);
    void step(FairRow& b, double primal, double dual);

    FairAnswer finish(index_t iterations);

  private:
    std::vector<NormalPart*> gathered_;
};

}  // namespace tiertwin::alloc
