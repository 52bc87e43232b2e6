// What a twin expects of its domain in a situation: KPIs of its own model of queues over a plan.
//
//   flow        x_it tasks/s of group i at tier t, over the resources on its way: the device; or the cells of its site,
//               then the site's server; or cells, the route to the fog, its server; or that, the route on, the cloud's
//   carried     y_it = x_it * min over its resources of min(1, limit/load):   load by x, limit 0.98 of the capacity
//               (of a link: 0.98 C - background). One bottleneck counts, so no capacity lost helps anybody
//   device      T = G/f / (1 - rho)                                       its own tasks, processor sharing
//   cells       T = airtime / (1 - rho)                                   processor sharing, evenly loaded cells
//   server      T = G/core * (1 + ErlangC(c, c rho)/(c (1 - rho)))        processor sharing on c cores
//   link        T = Mb/max(C - background - carried, 0.02 C)              and 2 * 5 us/km for both ways
//   delay       P(T_it > t) = exp(-(t - d)/w), t > d;  d: without waiting, w: mean wait
//   p95         of all flows, each cut into 8 equally likely delays, in buckets 1/64 of an octave wide
//   miss        1 - sum y P(T <= deadline) / offered
//   coverage    users at cells that work, with a server within reach, over all
//   objective   sum_i d_i b_i U(max(q_i, 0.01)) - sum cost y - delay terms (alloc/formulas.hpp), loads cut at 0.98
//
// Source: Kleinrock, Queueing Systems 1 and 2; the rule of one bottleneck and exponential waits are ours.
//
// Thread safety  pure functions; Work belongs to one thread.   Costs  about 0.15 ms for 50 sites of 20 groups.
#pragma once

#include <span>
#include <vector>

#include "whatif/sites.hpp"

namespace tiertwin::whatif {

// In the order of a row of KPIs.
enum class Kpi : std::size_t {
    offered,                 // tasks/s
    served,                  // tasks/s
    throughput,              // Mb/s of tasks served
    goodput,                 // Mb/s of tasks served in time
    latency_mean,            // ms
    latency_p95,             // ms
    loss_share,              // of tasks offered
    deadline_miss_ratio,     // of tasks offered
    coverage,                // of users
    local_share,             // of tasks offered, served at the device
    edge_utilisation,        // of the sites' servers
    uplink_utilisation_max,  // of the sites' uplinks
    link_utilisation_max,    // of the directed links, by what wants to go over it
    background_lost,         // Mb/s
    power,                   // W of devices, radio and servers for tasks served
    objective,               // utils/s
};
inline constexpr std::size_t kKpis = 16;

// A domain in a situation, as planned.
struct Planned {
    std::vector<Problem> problem;  // [D]
    std::vector<double> x;         // [D, G, 4]
};

// What loads every resource, and how much time a task spends there. Servers [S + F + 1], routes [S + F], links [2m].
struct Work {
    explicit Work(const Belief& belief);
    std::vector<double> device, radio, server, link, route;                // loads; share of a core, cells, GHz, Mb/s
    std::vector<double> device_left, radio_left, server_left, route_left;  // share of the load that gets through
    std::vector<double> radio_stretch, server_stretch;                     // waiting, in units of the service
    std::vector<double> link_wait, route_wait;                             // s a megabit
    std::vector<Way> way;
    std::vector<double> y, bucket;
};

void expect(const Belief& belief, const Sites& sites, const State& state, const Ways& ways, const Planned& planned,
            Work& work, std::span<double, kKpis> kpis);

}  // namespace tiertwin::whatif
