// What a twin believes of its domain when it is forked, as arrays: network, hierarchy, groups, and the plan in force.
//
// Sizes  n nodes, m undirected links (directed link 2l runs tail -> head, 2l + 1 back), S sites and F fogs of the whole
//        network, D sites of the domain, G groups a site, 4 tiers (device, edge, fog, cloud). Servers are numbered as
//        in the plant: sites, fogs, cloud. Row-major; units in the names, else rates in tasks/s, values in utils.
//
// Thread safety  immutable once validated.
#pragma once

#include <cstddef>
#include <vector>

#include "base/types.hpp"

namespace tiertwin::whatif {

inline constexpr std::size_t kTiers = 4;
inline constexpr std::size_t kEdge = 1, kFog = 2, kCloud = 3;

struct Belief {
    // The network.
    index_t nodes = 0;
    std::vector<index_t> link_tail, link_head;           // [m]
    std::vector<double> link_km, link_mbps, link_share;  // [m]; share of the capacity that works, 0: down
    std::vector<double> background_mbps;                 // [2m] as measured
    std::vector<index_t> demand_tail, demand_head;       // [K] the background matrix, and
    std::vector<double> demand_mbps;                     // [K] how it stands now
    // The hierarchy.
    std::vector<index_t> site_node, site_fog, fog_node, node_fog;  // [S] [S] [F] [n]
    index_t cloud_node = 0;
    std::vector<double> site_weight, fog_weight;  // [S] [F] by which links are split over routes
    std::vector<double> uplink_fog_mbps;          // [F] what a fog may send up
    std::vector<double> server_ghz;               // [S + F + 1]
    std::vector<index_t> home;                    // [D] the domain's sites, ascending
    // Groups.
    std::vector<double> weight, alpha, lost_per_s, megabits, gcycles, deadline_s;  // [G]; lost_per_s: utils a second
    std::vector<double> demand, users, airtime, device_ghz;                        // [D, G]
    std::vector<double> cost, seconds;    // [D, G, 4] of a task, and the part that is time, not cut off at 0
    std::vector<double> energy_j;         // [D, G, 2] of a task at the device, at a server
    std::vector<double> capacity, kappa;  // [D, 3] radio (cells), edge (GHz), uplink (Mb/s), and the delay terms
    std::vector<double> plan;             // [D, G, 4] in force
    std::vector<double> quota;            // [D, 3] fog compute, fog uplink, cloud compute as granted
    // Constants.
    double core_ghz = 0, lan_mbps = 0, kappa0_compute = 0, kappa0_link = 0, lost_mean = 0;

    [[nodiscard]] std::size_t links() const { return link_tail.size(); }
    [[nodiscard]] std::size_t sites() const { return site_node.size(); }
    [[nodiscard]] std::size_t fogs() const { return fog_node.size(); }
    [[nodiscard]] std::size_t homes() const { return home.size(); }
    [[nodiscard]] std::size_t groups() const { return weight.size(); }
    [[nodiscard]] std::size_t cloud_server() const { return sites() + fogs(); }

    // Throws InvalidArgument naming the first field whose length, index or value does not fit.
    void validate() const;
};

}  // namespace tiertwin::whatif
