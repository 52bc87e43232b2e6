#include "whatif/sites.hpp"

#include <algorithm>
#include <cmath>

#include "alloc/leaf.hpp"
#include "base/index.hpp"
#include "queueing/station.hpp"

namespace tiertwin::whatif {
namespace {

constexpr double kDesignLoad = 0.8;  // of a server, at which its waiting is matched

double ratio(double now, double before) { return before > 0 ? now / before : 1.0; }

// What is believed, moved as the rule has moved; where the rule gave nothing, the rule itself.
double moved(double believed, double now, double before) {
    if (now == before) return believed;
    return before > 0 ? believed * (now / before) : now;
}

}  // namespace

Way way_of(const Belief& belief, const Ways& ways, std::size_t route) {
    Way way;
    for (const index_t d : ways.route[route]) {
        way.km_s += kPerKm * belief.link_km[at(d / 2)];
        way.per_megabit += ways.capacity_mbps[at(d)] > 0 ? 1.0 / ways.capacity_mbps[at(d)] : 0.0;
    }
    return way;
}

Sites::Sites(const Belief& belief, const Ways& believed) : belief_(belief), believed_(believed) {
    const std::size_t groups = belief.groups(), cells = groups * kTiers;
    for (std::size_t r = 0; r < believed.route.size(); ++r) way_.push_back(way_of(belief, believed, r));
    for (const double ghz : belief.server_ghz) idle_.push_back(idle_price(ghz));
    own_plan_.resize(belief.homes() * cells);
    const State state(belief);
    for (std::size_t d = 0; d < belief.homes(); ++d) {
        std::vector<double> own(3 * cells, 0.0), quota(3 * cells, 0.0);
        for (std::size_t g = 0; g < groups; ++g) {
            const std::size_t c = g * kTiers;
            for (const std::size_t t : {kEdge, kFog, kCloud}) own[c + t] = belief.airtime[d * groups + g];
            own[cells + c + kEdge] = belief.gcycles[g];
            own[2 * cells + c + kFog] = own[2 * cells + c + kCloud] = belief.megabits[g];
            quota[c + kFog] = belief.gcycles[g];
            quota[cells + c + kCloud] = belief.megabits[g];
            quota[2 * cells + c + kCloud] = belief.gcycles[g];
        }
        use_own_.push_back(std::move(own));
        use_quota_.push_back(std::move(quota));
        as_believed_.emplace_back();
        problem(d, state, believed, as_believed_[d]);
        solve(d, as_believed_[d], std::span(own_plan_).subspan(d * cells, cells));
    }
}

double Sites::queueing_kappa(double ghz) const {
    const auto cores = static_cast<index_t>(std::llround(ghz / belief_.core_ghz));
    return cores > 0 ? belief_.lost_mean * erlang_c(cores, kDesignLoad * static_cast<double>(cores)) : 0.0;
}

double Sites::server_kappa(double ghz) const { return belief_.kappa0_compute * ghz + queueing_kappa(ghz); }

double Sites::idle_price(double ghz) const { return ghz > 0 ? queueing_kappa(ghz) / ghz : 0.0; }

double Sites::fog_uplink(std::size_t fog, const Ways& ways) const {
    const std::size_t route = belief_.sites() + fog;
    return moved(belief_.uplink_fog_mbps[fog], ways.share_mbps[route], believed_.share_mbps[route]);
}

void Sites::problem(std::size_t home, const State& state, const Ways& ways, Problem& out) const {
    const Belief& b = belief_;
    const std::size_t site = at(b.home[home]), fog = at(b.site_fog[site]), groups = b.groups();
    const std::size_t fog_server = b.sites() + fog, cloud = b.cloud_server();
    const double* capacity = &b.capacity[home * 3];
    const double* kappa = &b.kappa[home * 3];
    out.demand.assign(&state.demand[home * groups], &state.demand[home * groups] + groups);
    const double ghz = state.server_ghz[site], radio = state.radio[site];
    out.capacity[0] = capacity[0] * radio;
    out.kappa[0] = kappa[0] * radio;
    out.capacity[1] = ghz;
    out.kappa[1] = ghz == b.server_ghz[site] ? kappa[1] : server_kappa(ghz);
    const double share = ways.share_mbps[site], before = believed_.share_mbps[site];
    out.capacity[2] = std::max(moved(capacity[2], share, before), kLeastUplink);
    out.kappa[2] = share == before ? kappa[2] : b.kappa0_link * out.capacity[2];
    const double* quota = &b.quota[home * 3];
    out.quota[0] = quota[0] * ratio(state.server_ghz[fog_server], b.server_ghz[fog_server]);
    out.quota[1] = quota[1] * ratio(fog_uplink(fog, ways), b.uplink_fog_mbps[fog]);
    out.quota[2] = quota[2] * ratio(state.server_ghz[cloud], b.server_ghz[cloud]);
    const auto first = b.cost.begin() + static_cast<std::ptrdiff_t>(home * groups * kTiers);
    out.cost.assign(first, first + static_cast<std::ptrdiff_t>(groups * kTiers));
    const Way to_fog = way_of(b, ways, site), to_cloud = way_of(b, ways, fog_server);
    const std::size_t servers[kTiers] = {0, site, fog_server, cloud};
    for (std::size_t t = kEdge; t < kTiers; ++t) {
        double km_s = 0, per_megabit = 0;  // more than believed
        if (t >= kFog)
            km_s += to_fog.km_s - way_[site].km_s, per_megabit += to_fog.per_megabit - way_[site].per_megabit;
        if (t == kCloud) {
            km_s += to_cloud.km_s - way_[fog_server].km_s;
            per_megabit += to_cloud.per_megabit - way_[fog_server].per_megabit;
        }
        const double now = state.server_ghz[servers[t]];
        const double price = now == b.server_ghz[servers[t]] ? 0.0 : idle_[servers[t]] - idle_price(now);
        if (km_s == 0 && per_megabit == 0 && price == 0) continue;
        for (std::size_t g = 0; g < groups; ++g) {
            const std::size_t c = g * kTiers + t;
            const double was = b.seconds[home * groups * kTiers + c];
            const double more = b.lost_per_s[g] * (2 * km_s + b.megabits[g] * per_megabit) + b.gcycles[g] * price;
            out.cost[c] = std::max(out.cost[c] - std::max(was, 0.0) + std::max(was + more, 0.0), 0.0);
        }
    }
}

void Sites::plan(std::size_t home, const Problem& problem, Replan replan, std::span<double> x) const {
    const std::size_t groups = belief_.groups(), cells = groups * kTiers;
    if (replan == Replan::local) {
        if (problem == as_believed_[home])
            std::ranges::copy(std::span(own_plan_).subspan(home * cells, cells), x.begin());
        else
            solve(home, problem, x);
        return;
    }
    for (std::size_t g = 0; g < groups; ++g) {
        const double before = belief_.demand[home * groups + g], now = problem.demand[g];
        for (std::size_t t = 0; t < kTiers; ++t) {
            const double standing = belief_.plan[home * cells + g * kTiers + t];
            x[g * kTiers + t] = now == before ? standing : before > 0 ? standing / before * now : (t == 0 ? now : 0.0);
        }
    }
}

void Sites::solve(std::size_t home, const Problem& p, std::span<double> x) const {
    const alloc::LeafArrays arrays{p.demand,       belief_.weight, belief_.alpha, p.cost,
                                   use_own_[home], p.capacity,     p.kappa,       use_quota_[home]};
    alloc::Leaf leaf(alloc::LeafProblem(arrays, static_cast<index_t>(kTiers), 3));
    const alloc::Answer answer = leaf.solve_quota(p.quota, alloc::kIterationLimit);
    std::ranges::copy(answer.x, x.begin());
}

}  // namespace tiertwin::whatif
