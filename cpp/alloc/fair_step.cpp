// Directions and steps of the solver of fair_solver.hpp.
#include <algorithm>
#include <cmath>

#include "alloc/fair_work.hpp"

namespace tiertwin::alloc {

namespace {

constexpr double kLeastFall = 0.1;  // to this share a price of service or of waiting may fall in a step

}  // namespace

// The predictor's lines of a user: every product to 0.
void FairWork::prepare(FairUser& w, std::size_t u) {
    double sum = 0.0, v_sum = 0.0;
    for (std::size_t k = first(u); k < last(u); ++k) {
        FairOption& q = options[k];
        if (!q.open()) continue;
        q.per_x = 1.0 / q.x;
        q.v = q.x / q.z;
        v_sum += q.v;
        sum -= q.x;  // v z
    }
    w.v = v_sum;
    w.target = -w.s * w.m;
    w.error = w.alpha == 0.0 ? 0.0 : fair_error(w.weight, w.p, w.y, w.alpha);
    w.curve = w.alpha * w.p / w.y + w.m / w.s;
    w.damp = 1.0 / (1.0 + w.v * w.curve);
    settle(w, sum);
}

// The corrector's: every product to the centre, less what the predictor's step would leave.
void FairWork::correct(FairUser& w, std::size_t u, double centre) {
    const double mine = centre * w.part;
    double sum = 0.0;
    for (std::size_t k = first(u); k < last(u); ++k) {
        FairOption& q = options[k];
        if (!q.open()) continue;
        q.dx = (mine - q.dx * q.dz) * q.per_x - q.z;
        sum += q.v * q.dx;
    }
    w.target = mine + w.dy * w.dm - w.s * w.m;
    if (w.alpha == 1.0) w.error -= w.dp * w.dy / (w.p * w.y);
    settle(w, sum);
}

void FairWork::settle(FairUser& w, double sum) {
    w.base = (w.alpha == 0.0 ? 0.0 : w.p * w.error) - w.target / w.s - w.off;
    w.still = (sum + w.v * w.base) * w.damp;
}

void FairWork::prepare(FairRow& b, double centre, bool corrector, double& right_r) {
    if (!b.active) {
        right_r = 0.0;
        return;
    }
    b.target = (corrector ? centre * b.part - b.dt * b.dpi : 0.0) - b.t * b.pi;
    b.slope = b.pi / b.t;
    b.push = b.target / b.t;
    if (b.kappa > 0.0) {
        const double away = b.away();
        double error = b.kappa / (b.e * away * away) - 1.0;
        if (corrector) error -= (2.0 * b.de / b.e + b.dt / away) * (b.dt / away);
        b.slope += 2.0 * b.e / away;
        b.push += b.e * error - b.off;
        b.de = error;  // until the step is known
    }
    right_r += b.push / b.slope - b.slip;
}

void FairWork::prepare(FairFloor& f, double centre, bool corrector, double& right_s) {
    if (!f.active) {
        right_s = 0.0;
        return;
    }
    f.to_over = (corrector ? centre * f.part - f.d_over * f.dpi : 0.0) - f.over * f.pi;
    f.to_short = (corrector ? centre * f.part + f.d_short * f.dpi : 0.0) - f.shortfall * f.rest;
    right_s += f.to_over / f.pi - f.to_short / f.rest - f.slip;
}

void FairWork::look(FairPart& part, bool moves, double primal, double dual) {
    part.sums.assign(right.size(), {});
    part.low = part.high = part.size = part.spent = {};
    part.product = 0.0;
    part.fullest = 1.0;
    normal->clear(part.normal);
    each_user(part, [&](FairUser& w, std::size_t u) {
        if (moves) step(w, u, primal, dual);
        judge(part, w, u);
        prepare(w, u);
        part.v.resize(last(u) - first(u));
        const double shift = w.base - w.curve * w.still;
        for (std::size_t k = first(u); k < last(u); ++k) {
            const FairOption& q = options[k];
            part.v[k - first(u)] = q.v;
            if (q.open()) spread_sums(k, q.x, q.v * shift - q.x, part.sums.data());
        }
        for (std::size_t c = o->of_common[u]; c < o->of_common[u + 1]; ++c) {
            FairSum& sum = part.sums[o->common_row[c]];
            sum.load += common[c] * w.y;
            sum.push += common[c] * w.still;
        }
        normal->add_user(part.normal, u, a, common, part.v, w.v, w.damp);
    });
}

void FairWork::assemble() {
    for (std::size_t r = 0; r < rows.size(); ++r) prepare(rows[r], 0.0, false, right[r]);
    for (std::size_t s = 0; s < floors.size(); ++s) prepare(floors[s], 0.0, false, right[rows.size() + s]);
    for (FairPart& part : parts) gathered_.push_back(&part.normal);
    normal->gather(gathered_);
    gathered_.clear();
    for (std::size_t r = 0; r < rows.size(); ++r) normal->add_diagonal(r, rows[r].active ? 1.0 / rows[r].slope : 1.0);
    for (std::size_t s = 0; s < floors.size(); ++s) {
        const FairFloor& f = floors[s];
        normal->add_diagonal(rows.size() + s, f.active ? f.shortfall / f.rest + f.over / f.pi : 1.0);
    }
    normal->factor();
}

void FairWork::correct(double centre) {
    each_part([&](FairPart& part) {
        part.rows.assign(right.size(), 0.0);
        each_user(part, [&](FairUser& w, std::size_t u) {
            correct(w, u, centre);
            const double shift = w.base - w.curve * w.still;
            for (std::size_t k = first(u); k < last(u); ++k) {
                const FairOption& q = options[k];
                if (q.open()) spread(k, q.v * (q.dx + shift), part.rows.data());
            }
            spread_common(u, w.still, part.rows.data());
        });
    });
    add_up_rows();
    right.swap(row);
    for (std::size_t r = 0; r < rows.size(); ++r) prepare(rows[r], centre, true, right[r]);
    for (std::size_t s = 0; s < floors.size(); ++s) prepare(floors[s], centre, true, right[rows.size() + s]);
}

void FairWork::direct(FairUser& w, std::size_t u, bool corrector, Reach& reach) {
    const double* l = right.data();
    const double alike = along_common(u, l);
    double dearer = 0.0;
    for (std::size_t k = first(u); k < last(u); ++k) {
        FairOption& q = options[k];
        if (!q.open()) continue;
        q.dz = along(k, l) + alike;
        dearer += q.v * q.dz;
    }
    const double dy = w.still - dearer * w.damp, delta = w.base - w.curve * dy;
    Reach far = reach;
    for (std::size_t k = first(u); k < last(u); ++k) {
        FairOption& q = options[k];
        if (!q.open()) continue;
        const double rise = q.dz - delta, more = q.v * ((corrector ? q.dx : -q.z) - rise);
        q.dz = rise;
        q.dx = more;
        far.pair(q.x, more, q.z, rise, q.per_x, q.v * q.per_x);
    }
    w.dy = dy;
    w.dm = (w.target + w.m * dy) / w.s;
    w.dp = w.alpha == 0.0 ? 0.0 : w.p * (w.error - w.alpha * dy / w.y);
    far.pair(w.s, -dy, w.m, w.dm, 1.0 / w.s, 1.0 / w.m);
    reach = far;
}

void FairWork::direct(FairRow& b, double dl, Reach& reach) {
    if (!b.active) return;
    b.dl = dl;
    b.dt = (b.push - dl) / b.slope;
    b.dpi = dl;
    if (b.kappa > 0.0) {
        b.dpi = (b.target - b.pi * b.dt) / b.t;
        b.de = b.e * (b.de - 2.0 * b.dt / b.away());
        reach.price(b.l, dl);
    }
    reach.pair(b.t, b.dt, b.pi, b.dpi, 1.0 / b.t, 1.0 / b.pi);
}

void FairWork::direct(FairFloor& f, double dpi, Reach& reach) {
    if (!f.active) return;
    f.dpi = dpi;
    f.d_over = (f.to_over - f.over * dpi) / f.pi;
    f.d_short = (f.to_short + f.shortfall * dpi) / f.rest;
    reach.pair(f.over, f.d_over, f.pi, dpi, 1.0 / f.over, 1.0 / f.pi);
    reach.pair(f.shortfall, f.d_short, f.rest, -dpi, 1.0 / f.shortfall, 1.0 / f.rest);
}

Reach FairWork::direction(bool corrector) {
    normal->solve(right);
    each_part([&](FairPart& part) {
        part.reach = {};
        each_user(part, [&](FairUser& w, std::size_t u) { direct(w, u, corrector, part.reach); });
    });
    Reach reach = parts[0].reach;
    for (std::size_t i = 1; i < parts.size(); ++i) reach.join(parts[i].reach);
    for (std::size_t r = 0; r < rows.size(); ++r) direct(rows[r], right[r], reach);
    for (std::size_t s = 0; s < floors.size(); ++s) direct(floors[s], right[rows.size() + s], reach);
    return reach;
}

void FairWork::step(FairUser& w, std::size_t u, double primal, double dual) {
    double y = 0.0;
    for (std::size_t k = first(u); k < last(u); ++k) {
        FairOption& q = options[k];
        if (best_here) best_x[k] = q.x;
        if (!q.open()) continue;
        q.x += primal * q.dx;
        q.z += dual * q.dz;
        y += q.x;
    }
    w.y = y;
    w.s -= primal * w.dy;
    w.m += dual * w.dm;
    const double linear = w.p + dual * w.dp;
    w.p = std::max(linear, kLeastFall * w.p);
    w.off = (1.0 - dual) * w.off + linear - w.p;
}

void FairWork::step(FairRow& b, double primal, double dual) {
    if (!b.active) return;
    b.t += primal * b.dt;
    b.l += dual * b.dl;
    if (b.kappa == 0.0) {
        b.pi = b.l;
        return;
    }
    b.pi += dual * b.dpi;
    const double linear = b.e + dual * b.de;
    b.e = std::max(linear, kLeastFall * b.e);
    b.off = (1.0 - dual) * b.off + linear - b.e;
}

void FairWork::step(double primal, double dual) {
    each_part([&](FairPart& part) { look(part, true, primal, dual); });
    for (FairRow& b : rows) step(b, primal, dual);
    for (FairFloor& f : floors) {
        if (!f.active) continue;
        f.over += primal * f.d_over;
        f.shortfall += primal * f.d_short;
        f.pi += dual * f.dpi;
        f.rest -= dual * f.dpi;
    }
}

}  // namespace tiertwin::alloc
