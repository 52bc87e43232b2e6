#include "whatif/expect.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <numeric>

#include "alloc/formulas.hpp"
#include "base/index.hpp"
#include "queueing/station.hpp"

namespace tiertwin::whatif {
namespace {

using alloc::kLoadLimit;

constexpr double kLeastServed = 0.01;  // of a group's demand: utilities have no value at 0
constexpr double kTail = 0.95;
constexpr std::size_t kPoints = 8;                 // delays a flow is cut into
constexpr int kFineBits = 46, kFirstOctave = -40;  // buckets of 1/64 octave from 2^-40 s
constexpr std::size_t kBuckets = 64 * 60;

double passing(double limit, double load) { return load <= limit ? 1.0 : limit / load; }

std::uint64_t first_bucket() { return std::bit_cast<std::uint64_t>(std::ldexp(1.0, kFirstOctave)) >> kFineBits; }

std::size_t bucket_of(double seconds) {
    const std::uint64_t number = std::bit_cast<std::uint64_t>(seconds) >> kFineBits;
    return number <= first_bucket() ? 0 : std::min<std::size_t>(number - first_bucket(), kBuckets - 1);
}

double edge_of(std::size_t bucket) { return std::bit_cast<double>((first_bucket() + bucket) << kFineBits); }

// -ln(1 - (k + 1/2)/8): the middles of equally likely eighths of an exponential delay.
const std::array<double, kPoints>& eighths() {
    static const std::array<double, kPoints> points = [] {
        std::array<double, kPoints> found{};
        for (std::size_t k = 0; k < kPoints; ++k)
            found[k] = -std::log1p(-(static_cast<double>(k) + 0.5) / static_cast<double>(kPoints));
        return found;
    }();
    return points;
}

class Expectation {
  public:
    Expectation(const Belief& belief, const State& state, const Ways& ways, const Planned& planned, Work& work)
        : b_(belief), state_(state), ways_(ways), planned_(planned), w_(work), groups_(belief.groups()) {}

    void carry() {
        load(planned_.x);
        wanted_ = fullest();
        uplink_ = fullest_uplink();
        limit();
        for (std::size_t d = 0; d < b_.homes(); ++d)
            for (std::size_t g = 0; g < groups_; ++g) carry_group(d, g);
        load(w_.y);
        wait();
    }
    void count(const Sites& sites, std::span<double, kKpis> kpis);

  private:
    [[nodiscard]] std::size_t site(std::size_t d) const { return at(b_.home[d]); }
    [[nodiscard]] std::size_t fog(std::size_t d) const { return at(b_.site_fog[site(d)]); }
    [[nodiscard]] std::size_t fog_route(std::size_t d) const { return b_.sites() + fog(d); }

    void load(std::span<const double> x) {
        for (auto* loads : {&w_.radio, &w_.server, &w_.link, &w_.route}) std::ranges::fill(*loads, 0.0);
        for (std::size_t d = 0; d < b_.homes(); ++d) {
            const std::size_t s = site(d), f = fog_route(d);
            for (std::size_t g = 0; g < groups_; ++g) {
                const std::size_t i = d * groups_ + g;
                const double* of = &x[i * kTiers];
                const double work = b_.gcycles[g], up = of[kFog] + of[kCloud];
                const double cores = state_.users[i] * b_.device_ghz[i];
                w_.device[i] = of[0] <= 0 ? 0.0 : cores > 0 ? of[0] * work / cores : kUnbounded;
                w_.radio[s] += (of[kEdge] + up) * b_.airtime[i];
                w_.server[s] += of[kEdge] * work;
                w_.server[f] += of[kFog] * work;
                w_.server[b_.cloud_server()] += of[kCloud] * work;
                w_.route[s] += up * b_.megabits[g];
                w_.route[f] += of[kCloud] * b_.megabits[g];
            }
        }
        for (std::size_t r = 0; r < w_.route.size(); ++r)
            if (w_.route[r] > 0)
                for (const index_t d : ways_.route[r]) w_.link[at(d)] += w_.route[r];
    }

    [[nodiscard]] double fullest() const {
        double most = 0;
        for (std::size_t l = 0; l < w_.link.size(); ++l)
            if (ways_.capacity_mbps[l] > 0)
                most = std::max(most, (ways_.background_mbps[l] + w_.link[l]) / ways_.capacity_mbps[l]);
        return most;
    }
    [[nodiscard]] double fullest_uplink() const {
        double most = 0;
        for (std::size_t d = 0; d < b_.homes(); ++d)
            if (ways_.reaches[site(d)]) most = std::max(most, w_.route[site(d)] / planned_.problem[d].capacity[2]);
        return most;
    }

    void limit() {
        for (std::size_t i = 0; i < w_.device.size(); ++i) w_.device_left[i] = passing(kLoadLimit, w_.device[i]);
        for (std::size_t d = 0; d < b_.homes(); ++d)
            w_.radio_left[site(d)] = passing(kLoadLimit * planned_.problem[d].capacity[0], w_.radio[site(d)]);
        for (std::size_t s = 0; s < w_.server.size(); ++s)
            w_.server_left[s] = passing(kLoadLimit * state_.server_ghz[s], w_.server[s]);
        for (std::size_t r = 0; r < w_.route.size(); ++r) {
            double left = ways_.reaches[r] ? 1.0 : 0.0;
            for (const index_t d : ways_.route[r]) {
                const double free = (1.0 - kHeadroom) * ways_.capacity_mbps[at(d)] - ways_.background_mbps[at(d)];
                left = std::min(left, passing(std::max(free, 0.0), w_.link[at(d)]));
            }
            w_.route_left[r] = left;
        }
    }

    void carry_group(std::size_t d, std::size_t g) {
        const std::size_t s = site(d), f = fog_route(d), i = d * groups_ + g;
        const double radio = w_.radio_left[s], hop = std::min(radio, w_.route_left[s]);
        const double* x = &planned_.x[i * kTiers];
        double* y = &w_.y[i * kTiers];
        y[0] = x[0] * w_.device_left[i];
        y[kEdge] = x[kEdge] * std::min(radio, w_.server_left[s]);
        y[kFog] = x[kFog] * std::min(hop, w_.server_left[f]);
        y[kCloud] = x[kCloud] * std::min({hop, w_.route_left[f], w_.server_left[b_.cloud_server()]});
    }

    void wait() {
        for (std::size_t d = 0; d < b_.homes(); ++d) {
            const double cells = planned_.problem[d].capacity[0], load = w_.radio[site(d)];
            w_.radio_stretch[site(d)] = load > 0 ? load / (cells - load) : 0.0;
        }
        for (std::size_t s = 0; s < w_.server.size(); ++s) {
            const double ghz = state_.server_ghz[s], rho = ghz > 0 ? w_.server[s] / ghz : 0.0;
            const auto cores = std::max<index_t>(std::llround(ghz / b_.core_ghz), 1);
            const auto c = static_cast<double>(cores);
            w_.server_stretch[s] = rho > 0 ? erlang_c(cores, c * rho) / (c * (1.0 - rho)) : 0.0;
        }
        for (std::size_t l = 0; l < w_.link.size(); ++l) {
            const double mbps = ways_.capacity_mbps[l], used = ways_.background_mbps[l] + w_.link[l];
            w_.link_wait[l] = mbps > 0 ? 1.0 / std::max(mbps - used, kHeadroom * mbps) - 1.0 / mbps : 0.0;
        }
        for (std::size_t r = 0; r < w_.route.size(); ++r) {
            w_.way[r] = way_of(b_, ways_, r);
            w_.route_wait[r] = 0;
            for (const index_t d : ways_.route[r]) w_.route_wait[r] += w_.link_wait[at(d)];
        }
    }

    // Of a task of group i = (d, g): (without waiting, waiting) at each tier, s.
    struct Delay {
        double fixed, wait;
    };
    [[nodiscard]] std::array<Delay, kTiers> delays(std::size_t d, std::size_t g) const {
        const std::size_t s = site(d), f = fog_route(d), i = d * groups_ + g;
        const double own = b_.gcycles[g] / b_.device_ghz[i], served = b_.gcycles[g] / b_.core_ghz;
        const double air = b_.airtime[i], mb = b_.megabits[g], rho = std::min(w_.device[i], kLoadLimit);
        const double sent = air * w_.radio_stretch[s];
        const double hop = 2 * w_.way[s].km_s + mb * w_.way[s].per_megabit;
        const double on = 2 * w_.way[f].km_s + mb * w_.way[f].per_megabit;
        const double hop_wait = mb * w_.route_wait[s], on_wait = mb * w_.route_wait[f];
        const auto at_server = [&](std::size_t server) { return served * w_.server_stretch[server]; };
        return {{{own, own * rho / (1.0 - rho)},
                 {air + served, sent + at_server(s)},
                 {air + served + hop, sent + hop_wait + at_server(f)},
                 {air + served + hop + on, sent + hop_wait + on_wait + at_server(b_.cloud_server())}}};
    }

    void fill(double rate, const Delay& delay) {
        if (!(delay.wait > 0)) {
            w_.bucket[bucket_of(delay.fixed)] += rate;
            return;
        }
        for (const double point : eighths())
            w_.bucket[bucket_of(delay.fixed + delay.wait * point)] += rate / static_cast<double>(kPoints);
    }
    [[nodiscard]] double quantile(double served) const {
        double seen = 0;
        const double wanted = kTail * served;
        for (std::size_t k = 0; k < kBuckets; ++k) {
            if (w_.bucket[k] > 0 && seen + w_.bucket[k] >= wanted)
                return edge_of(k) + (edge_of(k + 1) - edge_of(k)) * (wanted - seen) / w_.bucket[k];
            seen += w_.bucket[k];
        }
        return 0;
    }
    [[nodiscard]] bool covered(std::size_t d) const {
        const std::size_t s = site(d), f = fog_route(d);
        if (!(planned_.problem[d].capacity[0] > 0)) return false;
        if (state_.server_ghz[s] > 0) return true;
        return ways_.reaches[s] &&
               (state_.server_ghz[f] > 0 || (ways_.reaches[f] && state_.server_ghz[b_.cloud_server()] > 0));
    }
    [[nodiscard]] double delay_terms(const Sites& sites) const;

    static constexpr double kUnbounded = 1e300;
    const Belief& b_;
    const State& state_;
    const Ways& ways_;
    const Planned& planned_;
    Work& w_;
    std::size_t groups_;
    double wanted_ = 0, uplink_ = 0;
};

double Expectation::delay_terms(const Sites& sites) const {
    const auto term = [](double load, double capacity, double kappa) {
        return alloc::delay_cost(std::min(load, kLoadLimit * capacity), capacity, kappa);
    };
    double total = 0;
    for (std::size_t d = 0; d < b_.homes(); ++d) {
        const Problem& p = planned_.problem[d];
        const double loads[3] = {w_.radio[site(d)], w_.server[site(d)], w_.route[site(d)]};
        for (std::size_t k = 0; k < 3; ++k) total += term(loads[k], p.capacity[k], p.kappa[k]);
    }
    for (std::size_t f = 0; f < b_.fogs(); ++f) {
        const std::size_t r = b_.sites() + f;
        const double uplink = std::max(sites.fog_uplink(f, ways_), kLeastUplink);
        total += term(w_.route[r], uplink, b_.kappa0_link * uplink);
    }
    for (std::size_t s = b_.sites(); s < w_.server.size(); ++s)
        if (w_.server[s] > 0)
            total += term(w_.server[s], state_.server_ghz[s], sites.server_kappa(state_.server_ghz[s]));
    return total;
}

void Expectation::count(const Sites& sites, std::span<double, kKpis> kpis) {
    double offered = 0, served = 0, local = 0, volume = 0, good = 0, in_time = 0, seconds = 0, watts = 0;
    double users = 0, covered_users = 0, edge = 0, edges = 0;
    alloc::Sum value;
    std::ranges::fill(w_.bucket, 0.0);
    for (std::size_t d = 0; d < b_.homes(); ++d) {
        const Problem& p = planned_.problem[d];
        const bool reached = covered(d);
        edge += w_.server[site(d)];
        edges += state_.server_ghz[site(d)];
        for (std::size_t g = 0; g < groups_; ++g) {
            const std::size_t i = d * groups_ + g;
            const auto delay = delays(d, g);
            const double* y = &w_.y[i * kTiers];
            double done = 0;
            for (std::size_t t = 0; t < kTiers; ++t) {
                if (!(y[t] > 0)) continue;
                const double room = b_.deadline_s[g] - delay[t].fixed;
                const double within = room < 0 ? 0.0 : delay[t].wait > 0 ? 1.0 - std::exp(-room / delay[t].wait) : 1.0;
                done += y[t];
                in_time += y[t] * within;
                good += y[t] * within * b_.megabits[g];
                seconds += y[t] * (delay[t].fixed + delay[t].wait);
                watts += y[t] * b_.energy_j[2 * i + (t > 0 ? 1 : 0)];
                value.add(-p.cost[g * kTiers + t] * y[t]);
                fill(y[t], delay[t]);
            }
            offered += p.demand[g];
            served += done;
            local += y[0];
            volume += done * b_.megabits[g];
            users += state_.users[i];
            if (reached) covered_users += state_.users[i];
            if (p.demand[g] > 0) {
                const double share = std::clamp(done / p.demand[g], kLeastServed, 1.0);
                value.add(p.demand[g] * alloc::worth(b_.weight[g], share, b_.alpha[g]));
            }
        }
    }
    const auto of = [](double part, double whole, double none) { return whole > 0 ? part / whole : none; };
    const auto set = [&kpis](Kpi kpi, double number) { kpis[static_cast<std::size_t>(kpi)] = number; };
    set(Kpi::offered, offered);
    set(Kpi::served, served);
    set(Kpi::throughput, volume);
    set(Kpi::goodput, good);
    set(Kpi::latency_mean, 1e3 * of(seconds, served, 0.0));
    set(Kpi::latency_p95, 1e3 * quantile(served));
    set(Kpi::loss_share, std::max(1.0 - of(served, offered, 1.0), 0.0));
    set(Kpi::deadline_miss_ratio, std::max(1.0 - of(in_time, offered, 1.0), 0.0));
    set(Kpi::coverage, of(covered_users, users, 1.0));
    set(Kpi::local_share, of(local, offered, 0.0));
    set(Kpi::edge_utilisation, of(edge, edges, 0.0));
    set(Kpi::uplink_utilisation_max, uplink_);
    set(Kpi::link_utilisation_max, wanted_);
    set(Kpi::background_lost, ways_.background_lost_mbps);
    set(Kpi::power, watts);
    set(Kpi::objective, value.value() - delay_terms(sites));
}

}  // namespace

Work::Work(const Belief& b)
    : device(b.homes() * b.groups()),
      radio(b.sites()),
      server(b.server_ghz.size()),
      link(2 * b.links()),
      route(b.sites() + b.fogs()),
      device_left(device.size()),
      radio_left(radio.size()),
      server_left(server.size()),
      route_left(route.size()),
      radio_stretch(radio.size()),
      server_stretch(server.size()),
      link_wait(link.size()),
      route_wait(route.size()),
      way(route.size()),
      y(device.size() * kTiers),
      bucket(kBuckets) {}

void expect(const Belief& belief, const Sites& sites, const State& state, const Ways& ways, const Planned& planned,
            Work& work, std::span<double, kKpis> kpis) {
    Expectation expectation(belief, state, ways, planned, work);
    expectation.carry();
    expectation.count(sites, kpis);
}

}  // namespace tiertwin::whatif
