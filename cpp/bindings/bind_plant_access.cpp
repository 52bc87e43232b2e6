// A plant over a radio access network: enabling it, set-points of groups, what passes through to it, and the truth.
#include <string>

#include "base/error.hpp"
#include "bindings/common.hpp"
#include "bindings/fields.hpp"
#include "bindings/reports.hpp"

namespace tiertwin::bindings {

using plant::Plant;

void add_radio(py::dict& kpis, const plant::Kpis& taken) {
    if (!taken.radio) return;
    const plant::RadioKpis& r = *taken.radio;
    kpis["radio"] = py::dict(
        "handovers"_a = r.handovers, "ping_pongs"_a = r.ping_pongs, "link_failures"_a = r.link_failures,
        "users_without_cell"_a = r.users_without_cell, "down_sent"_a = r.down_sent, "down_received"_a = r.down_received,
        "down_lost"_a = r.down_lost, "down_delay_s"_a = static_cast<double>(r.down_delay) * 1e-9,
        "down_histogram"_a = fresh<std::int64_t>(r.down_histogram), "up_bits"_a = r.up_bits, "up_prbs"_a = r.up_prbs);
}

void bind_plant_access(py::class_<Plant>& bound) {
    using Ids = array_in<std::int64_t>;
    using Values = array_in<double>;
    bound
        .def(
            "enable_access",
            [](Plant& p, const py::dict& config, const AccessZones& zones) {
                p.enable_access(access_config(p.config().seed, config, zones));
            },
            "config"_a, "zones"_a,
            "Make devices the users of a radio access network; before anything happened (cpp/plant/plant_users.hpp).")
        .def(
            "set_group_shares",
            [](Plant& p, const Ids& group, const Values& shares) {
                if (shares.ndim() != 2 || shares.shape(1) != plant::kTiers) {
                    throw InvalidArgument("shares: expected an array of shape (groups, 4), got " +
                                          std::to_string(shares.ndim()) + " dimensions and " +
                                          std::to_string(shares.size()) + " values");
                }
                p.set_group_shares(view(group), view(shares));
            },
            "group"_a.noconvert(), "shares"_a.noconvert(),
            "Share of each tier for whoever is in each group (k x 4), from now on.")
        .def(
            "lead",
            [](Plant& p, const Ids& users, const Values& places) { p.access().lead(view(users), view(places)); },
            "users"_a.noconvert(), "places"_a.noconvert(), "Put led users somewhere: x, y, z [k, 3], m.")
        .def(
            "set_cells_down", [](Plant& p, const Ids& cells, bool down) { p.access().set_down(view(cells), down); },
            "cells"_a.noconvert(), "down"_a, "Fail or repair cells, from the next step on.")
        .def(
            "set_cell_sleep", [](Plant& p, std::int64_t after_ms) { p.access().set_sleep(after_ms); }, "after_ms"_a,
            "Idle for so long, cells sleep; 0: never.")
        .def(
            "truth_device_sites", [](const Plant& p) { return fresh<std::int64_t>(p.truth_device_sites()); },
            "Site where each device is at home.")
        .def(
            "truth_device_groups", [](const Plant& p) { return fresh<std::int64_t>(p.truth_device_groups()); },
            "Group of each device.")
        .def(
            "truth_cells", [](Plant& p) { return truth_cells(p.access()); },
            "What is hidden of cells, and their loads.")
        .def(
            "truth_users", [](Plant& p) { return truth_users(p.access()); },
            "Where users are, what they hear, how well.")
        .def(
            "truth_packets", [](Plant& p) { return truth_packets(p.access().air()); },
            "What every batch of packets met, if records are kept; received -1: lost.");
}

}  // namespace tiertwin::bindings
