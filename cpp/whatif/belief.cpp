#include "whatif/belief.hpp"

#include <cmath>
#include <limits>
#include <string>
#include <tuple>

#include "base/error.hpp"

namespace tiertwin::whatif {
namespace {

void expect_size(const char* name, std::size_t came, std::size_t expected, const char* shape) {
    if (came != expected)
        throw InvalidArgument(std::string(name) + ": expected " + std::to_string(expected) + " values " + shape +
                              ", got " + std::to_string(came));
}

void expect_indices(const char* name, const std::vector<index_t>& values, std::size_t below) {
    for (std::size_t i = 0; i < values.size(); ++i)
        if (values[i] < 0 || values[i] >= static_cast<index_t>(below))
            throw InvalidArgument(std::string(name) + "[" + std::to_string(i) + "]: expected 0 .. " +
                                  std::to_string(static_cast<index_t>(below) - 1) + ", got " +
                                  std::to_string(values[i]));
}

void expect_numbers(const char* name, const std::vector<double>& values, double least) {
    for (std::size_t i = 0; i < values.size(); ++i)
        if (!(values[i] >= least && std::isfinite(values[i])))
            throw InvalidArgument(std::string(name) + "[" + std::to_string(i) + "]: expected a finite number" +
                                  (least >= 0 ? " >= 0" : "") + ", got " + std::to_string(values[i]));
}

}  // namespace

void Belief::validate() const {
    const std::size_t m = links(), s = sites(), f = fogs(), d = homes(), g = groups();
    const double any = -std::numeric_limits<double>::max();
    if (nodes < 1 || f < 1) throw InvalidArgument("expected at least one node and one fog");
    const auto count = static_cast<std::size_t>(nodes);
    for (const auto& [name, values, size, below] : {std::tuple{"link_tail", &link_tail, m, count},
                                                    {"link_head", &link_head, m, count},
                                                    {"demand_tail", &demand_tail, demand_mbps.size(), count},
                                                    {"demand_head", &demand_head, demand_mbps.size(), count},
                                                    {"site_node", &site_node, s, count},
                                                    {"site_fog", &site_fog, s, f},
                                                    {"fog_node", &fog_node, f, count},
                                                    {"node_fog", &node_fog, count, f},
                                                    {"home", &home, d, s}}) {
        expect_size(name, values->size(), size, "(one a row)");
        expect_indices(name, *values, below);
    }
    expect_indices("cloud_node", {cloud_node}, count);
    for (std::size_t i = 1; i < d; ++i)
        if (home[i] <= home[i - 1]) throw InvalidArgument("home: expected sites in ascending order, each once");
    for (const auto& [name, values, size, least] : {std::tuple{"link_km", &link_km, m, 0.0},
                                                    {"link_mbps", &link_mbps, m, 0.0},
                                                    {"link_share", &link_share, m, 0.0},
                                                    {"background_mbps", &background_mbps, 2 * m, 0.0},
                                                    {"demand_mbps", &demand_mbps, demand_mbps.size(), 0.0},
                                                    {"site_weight", &site_weight, s, 0.0},
                                                    {"fog_weight", &fog_weight, f, 0.0},
                                                    {"uplink_fog_mbps", &uplink_fog_mbps, f, 0.0},
                                                    {"server_ghz", &server_ghz, s + f + 1, 0.0},
                                                    {"alpha", &alpha, g, 0.0},
                                                    {"weight", &weight, g, 0.0},
                                                    {"lost_per_s", &lost_per_s, g, 0.0},
                                                    {"megabits", &megabits, g, 0.0},
                                                    {"gcycles", &gcycles, g, 0.0},
                                                    {"deadline_s", &deadline_s, g, 0.0},
                                                    {"demand", &demand, d * g, 0.0},
                                                    {"users", &users, d * g, 0.0},
                                                    {"airtime", &airtime, d * g, 0.0},
                                                    {"device_ghz", &device_ghz, d * g, 0.0},
                                                    {"cost", &cost, d * g * kTiers, 0.0},
                                                    {"seconds", &seconds, d * g * kTiers, any},
                                                    {"energy_j", &energy_j, d * g * 2, 0.0},
                                                    {"capacity", &capacity, d * 3, 0.0},
                                                    {"kappa", &kappa, d * 3, 0.0},
                                                    {"plan", &plan, d * g * kTiers, 0.0},
                                                    {"quota", &quota, d * 3, 0.0}}) {
        expect_size(name, values->size(), size, "(see belief.hpp for shapes)");
        expect_numbers(name, *values, least);
    }
    expect_numbers("core_ghz, lan_mbps, kappa0_compute, kappa0_link, lost_mean",
                   {core_ghz, lan_mbps, kappa0_compute, kappa0_link, lost_mean}, 0.0);
    if (!(core_ghz > 0)) throw InvalidArgument("core_ghz: expected a number > 0");
    for (const double ghz : device_ghz)
        if (!(ghz > 0)) throw InvalidArgument("device_ghz: expected numbers > 0");
}

}  // namespace tiertwin::whatif
