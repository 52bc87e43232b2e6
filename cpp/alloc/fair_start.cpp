// Scaling and starts of the solver of fair_solver.hpp.
#include <algorithm>
#include <cmath>

#include "alloc/fair_work.hpp"
#include "base/infinity.hpp"

namespace tiertwin::alloc {

namespace {

constexpr std::size_t kParts = 8;
constexpr double kColdRoom = 0.5;    // share of every limit that the cold start leaves free, at least
constexpr double kWarmBlend = 0.02;  // of the cold start in a warm one, which keeps it inside the bounds
constexpr double kColdSlack = 0.1, kWarmSlack = 0.01;  // least reduced price at the start, over the price of service
constexpr double kLeastPrice = 1e-3;                   // of a row at the start, over the mean
constexpr double kSmall = 1e-4;  // of the mean worth: below it users and rows have a smaller part of mu

}  // namespace

void FairWork::add_up_rows() {
    row.swap(parts[0].rows);
    for (std::size_t i = 1; i < parts.size(); ++i)
        for (std::size_t r = 0; r < row.size(); ++r) row[r] += parts[i].rows[r];
}

void FairWork::load(const FairProblem& problem) {
    p = &problem;
    const std::size_t k_all = o->of_option.size() - 1, r_all = problem.capacity.size(), u_all = problem.most.size();
    a.resize(o->row.size());
    common.resize(o->common_row.size());
    options.assign(k_all, {});
    best_x.assign(k_all, 0.0);
    for (auto* values : {&right, &row}) values->assign(r_all + problem.floor.size(), 0.0);
    rows.assign(r_all, {});
    for (std::size_t r = 0; r < r_all; ++r) {
        rows[r].active = problem.capacity[r] > 0.0 && std::isfinite(problem.capacity[r]);
        if (problem.delay_of(r) > 0.0) rows[r].limit = kLoadLimit;
    }
    load_floors();
    users.assign(u_all, {});
    weighed = false;
    for (std::size_t u = 0; u < u_all; ++u) {
        FairUser& w = users[u];
        w.counts = problem.most[u] > 0.0;
        if (!w.counts) continue;
        const bool has_weight = problem.weight[u] > 0.0;
        weighed = weighed || has_weight;
        w.alpha = has_weight ? problem.alpha[u] : 0.0;
        load_entries(u);
    }
    share_parts();
}

void FairWork::load_entries(std::size_t u) {
    const auto scaled = [&](std::size_t r, std::uint32_t source) {
        return rows[r].active ? p->options.use[source] * p->most[u] / p->capacity[r] : 0.0;
    };
    for (std::size_t e = o->of_option[first(u)]; e < o->of_option[last(u)]; ++e)
        a[e] = o->source[e] == FairLayout::kFill ? 0.0 : scaled(o->row[e], o->source[e]);
    for (std::size_t c = o->of_common[u]; c < o->of_common[u + 1]; ++c)
        common[c] =
            o->common_source[c] == FairLayout::kFloor ? -pull(u) : scaled(o->common_row[c], o->common_source[c]);
}

void FairWork::load_floors() {
    floors.assign(p->floor.size(), {});
    for (std::size_t s = 0; s < floors.size(); ++s) {
        floors[s].unit = std::min(p->floor[s], p->floor_most[s]);
        floors[s].active = floors[s].unit > 0.0 && p->penalty[s] > 0.0;
        floors[s].most = p->penalty[s] * floors[s].unit;
    }
}

// Parts of about as many options each.
void FairWork::share_parts() {
    const std::size_t count = options.size() < kManyOptions ? 1 : kParts;
    parts.resize(count);
    std::size_t u = 0;
    for (std::size_t i = 0; i < count; ++i) {
        parts[i].from = u;
        while (u < users.size() && (i + 1 == count || o->of_user[u] * count < options.size() * (i + 1))) ++u;
        parts[i].to = u;
    }
}

// Everybody's demand split evenly over its open options, then halved, and options scaled down by their fullest row.
void FairWork::cold() {
    each_part([&](FairPart& part) {
        part.rows.assign(row.size(), 0.0);
        each_user(part, [&](FairUser&, std::size_t u) {
            double count = 0.0;
            for (std::size_t k = first(u); k < last(u); ++k) count += p->open[k];
            for (std::size_t k = first(u); k < last(u); ++k) {
                options[k].x = p->open[k] ? 1.0 / count : 0.0;
                if (p->open[k]) spread(k, options[k].x, part.rows.data());
            }
            spread_common(u, 1.0, part.rows.data());
        });
    });
    add_up_rows();
    each_part([&](FairPart& part) {
        each_user(part, [&](FairUser&, std::size_t u) {
            double alike = 1.0;
            for (std::size_t c = o->of_common[u]; c < o->of_common[u + 1]; ++c)
                if (common[c] > 0.0) alike = std::max(alike, row[o->common_row[c]]);
            for (std::size_t k = first(u); k < last(u); ++k) {
                double fullest = alike;
                for (std::size_t e = o->of_option[k]; e < o->of_option[k + 1]; ++e)
                    if (a[e] > 0.0) fullest = std::max(fullest, row[o->row[e]]);
                options[k].x *= kColdRoom / fullest;
            }
        });
    });
}

void FairWork::warm(const FairStart& start) {
    cold();
    best_x.assign(start.x.begin(), start.x.end());
    fit(*p, best_x);
    for (std::size_t u = 0; u < users.size(); ++u)
        for (std::size_t k = first(u); k < last(u); ++k)
            if (p->open[k]) options[k].x = kWarmBlend * options[k].x + (1.0 - kWarmBlend) * best_x[k] / p->most[u];
}

// Weights in units of the mean marginal worth at the start; prices of rows as given, or what service on them is worth.
void FairWork::begin(const FairStart& start, bool warm) {
    const double worth_all = weigh();
    open_floors(worth_all);
    double total = worth_all;
    for (std::size_t s = 0; s < floors.size(); ++s)
        if (floors[s].active) total -= floors[s].pi * row[rows.size() + s];
    unit = total > 0.0 ? total / static_cast<double>(users.size()) : 1.0;
    for (FairFloor& f : floors) {
        f.pi /= unit;
        f.most /= unit;
        f.rest = f.most - f.pi;
    }
    if (warm) warm_floors(start.floor_price);
    open_rows(warm ? start.price : std::span<const double>(), total);
    best_lower = -kInfinity;
    best_upper = kInfinity;
    best_l.assign(rows.size(), 0.0);
    best_pi.assign(floors.size(), 0.0);
    since_better = 0;
    best_here = false;
    settle_prices(warm ? kWarmSlack : kColdSlack);
    each_part([&](FairPart& part) { look(part, false, 0.0, 0.0); });
}

// Service, loads, weights in units of the problem; what all that service is worth at the margin.
double FairWork::weigh() {
    each_part([&](FairPart& part) {
        part.rows.assign(row.size(), 0.0);
        part.size = {};
        each_user(part, [&](FairUser& w, std::size_t u) {
            w.y = 0.0;
            w.part = 0.0;
            for (std::size_t k = first(u); k < last(u); ++k) {
                if (!p->open[k]) continue;
                w.y += options[k].x;
                spread(k, options[k].x, part.rows.data());
                w.part += 1.0;
            }
            spread_common(u, w.y, part.rows.data());
            w.s = 1.0 - w.y;
            w.weight = p->weight[u];
            if (w.alpha != 1.0) w.weight *= service_scale(p->most[u], w.alpha);
            part.size.add(w.weight * service_scale(w.y, w.alpha));
        });
    });
    add_up_rows();
    Sum all;
    for (const FairPart& part : parts) all.add(part.size.value());
    return all.value();
}

// The price of a floor begins at what its users' service is worth by their weights, or as much a user as everybody's.
void FairWork::open_floors(double worth_all) {
    if (floors.empty()) return;
    std::vector<double> own(floors.size()), members(floors.size());
    for (std::size_t u = 0; u < users.size(); ++u) {
        const FairUser& w = users[u];
        if (!w.counts || p->floor_at(u) < 0) continue;
        const auto s = static_cast<std::size_t>(p->floor_at(u));
        own[s] += w.weight * service_scale(w.y, w.alpha);
        members[s] += 1.0;
    }
    for (std::size_t s = 0; s < floors.size(); ++s) {
        FairFloor& f = floors[s];
        if (!f.active) continue;
        const double served = -row[rows.size() + s];
        const double mean = worth_all / static_cast<double>(users.size()) * members[s];
        const double guess = std::max(own[s], mean) / served;
        f.pi = guess > 0.0 ? std::min(guess, 0.5 * f.most) : 0.5 * f.most;
        f.rest = f.most - f.pi;
        const double room = kColdSlack;
        f.shortfall = served >= 1.0 ? std::min(room, room * f.pi / f.rest) : 1.0 - served + room;
        f.over = served - 1.0 + f.shortfall;
    }
}

void FairWork::warm_floors(std::span<const double> price) {
    for (std::size_t s = 0; s < floors.size(); ++s) {
        FairFloor& f = floors[s];
        if (!f.active || price.empty()) continue;
        const double served = -row[rows.size() + s], least = kLeastPrice * f.pi;
        const double usual = f.pi;
        f.pi = std::clamp(price[s] * f.unit / unit, least, f.most - least);
        f.rest = f.most - f.pi;
        if (served >= 1.0) {
            f.shortfall = kWarmSlack * std::min(1.0, usual / f.rest);
            f.over = served - 1.0 + f.shortfall;
        } else {
            f.over = kWarmSlack * std::min(1.0, usual / f.pi);
            f.shortfall = 1.0 - served + f.over;
        }
    }
}

void FairWork::open_rows(std::span<const double> price, double worth_all) {
    std::fill(right.begin(), right.end(), 0.0);
    pairs = 0.0;
    for (std::size_t u = 0; u < users.size(); ++u) {
        FairUser& w = users[u];
        if (!w.counts) continue;
        w.weight /= unit;
        const double worth_here = w.weight * service_scale(w.y, w.alpha) + pulled(u, w.y);
        const double products = w.part + 1.0;
        w.part = std::min(1.0, worth_here / kSmall);
        pairs += products * w.part;
        for (std::size_t k = first(u); k < last(u); ++k)
            if (p->open[k]) spread(k, worth_here / w.y * options[k].x, right.data());
        spread_common(u, worth_here, right.data());
    }
    const double mean = worth_all / unit / static_cast<double>(rows.size());
    for (std::size_t r = 0; r < rows.size(); ++r) {
        FairRow& b = rows[r];
        if (!b.active) {
            right[r] = 0.0;
            continue;
        }
        b.t = b.limit - row[r];
        b.kappa = p->delay_of(r) / unit;
        b.e = b.kappa > 0.0 ? b.kappa / (b.away() * b.away()) : 0.0;
        b.part = std::clamp(right[r] / (kSmall * mean), 1e-40, 1.0);
        pairs += b.part;
        const double guess = price.empty() ? right[r] : price[r] * p->capacity[r] / unit;
        b.pi = std::max(guess - b.e, kLeastPrice * mean * b.part);
        b.l = b.pi + b.e;
        right[r] = b.l;
    }
    for (std::size_t s = 0; s < floors.size(); ++s) {
        FairFloor& f = floors[s];
        right[rows.size() + s] = f.active ? f.pi : 0.0;
        if (!f.active) continue;
        f.part = std::clamp(f.pi / kSmall, 1e-40, 1.0);
        pairs += 2.0 * f.part;
    }
}

// The price of service follows from x; m and z from the prices of rows and floors, `slack` above 0.
void FairWork::settle_prices(double slack) {
    each_part([&](FairPart& part) {
        each_user(part, [&](FairUser& w, std::size_t u) {
            const double alike = along_common(u, right.data());  // its floor pays for some of it
            double cheapest = kInfinity;
            for (std::size_t k = first(u); k < last(u); ++k) {
                if (!p->open[k]) continue;
                options[k].z = along(k, right.data()) + alike + p->cost_of(k) * p->most[u] / unit;
                cheapest = std::min(cheapest, options[k].z);
            }
            w.p = w.alpha == 0.0 ? w.weight : w.weight * std::exp(-w.alpha * std::log(w.y));
            const double room = slack * (w.p + pulled(u, 1.0));
            w.m = std::max(room, w.p - cheapest + room);
            for (std::size_t k = first(u); k < last(u); ++k)
                if (p->open[k]) options[k].z += w.m - w.p;
        });
    });
}

}  // namespace tiertwin::alloc
