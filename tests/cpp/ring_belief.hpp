// A belief small enough to be worked out by hand: three nodes in a ring, a site at each, one fog at node 0.
#pragma once

#include "whatif/belief.hpp"

namespace tiertwin::tests {

// Links 0: 0-1 (10 km), 1: 1-2 (10 km), 2: 0-2 (30 km), 100 Mb/s each, no background. One group a site, 10 tasks/s of
// 1 Mb and 1 Gcycle, all of it at the fog.
inline whatif::Belief ring() {
    whatif::Belief b;
    b.nodes = 3;
    b.link_tail = {0, 1, 0};
    b.link_head = {1, 2, 2};
    b.link_km = {10, 10, 30};
    b.link_mbps = {100, 100, 100};
    b.link_share = {1, 1, 1};
    b.background_mbps.assign(6, 0.0);
    b.demand_tail = {1};
    b.demand_head = {0};
    b.demand_mbps = {5};
    b.background_mbps[1] = 5;  // 1 -> 0
    b.site_node = {0, 1, 2};
    b.site_fog = {0, 0, 0};
    b.fog_node = {0};
    b.node_fog = {0, 0, 0};
    b.site_weight = {1, 1, 1};
    b.fog_weight = {1};
    b.uplink_fog_mbps = {1000};
    b.server_ghz = {10, 10, 10, 100, 100};
    b.home = {0, 1, 2};
    b.weight = {1};
    b.alpha = {1};
    b.lost_per_s = {1};
    b.megabits = {1};
    b.gcycles = {1};
    b.deadline_s = {1};
    b.demand.assign(3, 10.0);
    b.users.assign(3, 10.0);
    b.airtime.assign(3, 0.01);
    b.device_ghz.assign(3, 1.0);
    for (int s = 0; s < 3; ++s) b.cost.insert(b.cost.end(), {0.5, 0.1, 0.1, 0.1});
    b.seconds = b.cost;
    b.energy_j.assign(6, 1.0);
    for (int s = 0; s < 3; ++s) {
        b.capacity.insert(b.capacity.end(), {1.0, 10.0, 40.0});
        b.kappa.insert(b.kappa.end(), {0.1, 0.1, 0.1});
        b.plan.insert(b.plan.end(), {0.0, 0.0, 10.0, 0.0});
        b.quota.insert(b.quota.end(), {20.0, 0.0, 0.0});
    }
    b.core_ghz = 1;
    b.lan_mbps = 1000;
    b.kappa0_compute = b.kappa0_link = 0.01;
    b.lost_mean = 1;
    return b;
}

}  // namespace tiertwin::tests
