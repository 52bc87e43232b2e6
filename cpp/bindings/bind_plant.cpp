// The plant: a dictionary of arrays in, reports and KPIs as fresh arrays out. Convert, call, return.
#include <string>

#include "base/error.hpp"
#include "bindings/common.hpp"
#include "bindings/fields.hpp"
#include "bindings/reports.hpp"
#include "plant/plant.hpp"

namespace tiertwin::bindings {
namespace {

using plant::Config;
using plant::Plant;

Config read(std::uint64_t seed, const py::dict& source) {
    Config c;
    c.seed = seed;
    Fields fields("Plant", source);
    for (const auto& [name, into] : {std::pair{"device_site", &c.device_site},
                                     {"device_class", &c.device_class},
                                     {"device_ring", &c.device_ring},
                                     {"device_key", &c.device_key},
                                     {"class_arrival", &c.class_arrival},
                                     {"class_exponential", &c.class_exponential},
                                     {"trace_ptr", &c.trace_ptr},
                                     {"link_site", &c.link_site},
                                     {"site_fog", &c.site_fog},
                                     {"route_site_ptr", &c.route_site_ptr},
                                     {"route_site_links", &c.route_site_links},
                                     {"route_fog_ptr", &c.route_fog_ptr},
                                     {"route_fog_links", &c.route_fog_links},
                                     {"server_discipline", &c.server_discipline},
                                     {"server_site", &c.server_site}}) {
        fields.array(name, *into);
    }
    for (const auto& [name, into] : {std::pair{"device_ghz", &c.device_ghz},
                                     {"class_tasks_per_s", &c.class_tasks_per_s},
                                     {"class_megabits", &c.class_megabits},
                                     {"class_gcycles", &c.class_gcycles},
                                     {"class_deadline_s", &c.class_deadline_s},
                                     {"class_transmit_w", &c.class_transmit_w},
                                     {"class_on_s", &c.class_on_s},
                                     {"class_off_s", &c.class_off_s},
                                     {"trace_s", &c.trace_s},
                                     {"trace_repeat_s", &c.trace_repeat_s},
                                     {"ring_rate_mbps", &c.ring_rate_mbps},
                                     {"radio_factor", &c.radio_factor},
                                     {"site_cells", &c.site_cells},
                                     {"link_capacity_mbps", &c.link_capacity_mbps},
                                     {"link_propagation_s", &c.link_propagation_s},
                                     {"link_background_mbps", &c.link_background_mbps},
                                     {"server_cores", &c.server_cores},
                                     {"server_core_ghz", &c.server_core_ghz},
                                     {"server_idle_w", &c.server_idle_w},
                                     {"server_j_per_gcycle", &c.server_j_per_gcycle}}) {
        fields.array(name, *into);
    }
    for (const auto& [name, into] : {std::pair{"radio_window_s", &c.radio_window_s},
                                     {"device_j_per_gcycle_ghz2", &c.device_j_per_gcycle_ghz2},
                                     {"link_j_per_mb", &c.link_j_per_mb},
                                     {"buffer_s", &c.buffer_s},
                                     {"report_s", &c.report_s},
                                     {"delay_low_s", &c.delay_low_s},
                                     {"delay_high_s", &c.delay_high_s},
                                     {"loss", &c.loss},
                                     {"noise", &c.noise},
                                     {"clock_offset_s", &c.clock_offset_s}}) {
        fields.number(name, *into);
    }
    fields.flag("device_any_order", c.device_any_order);
    fields.flag("radio_fifo", c.radio_fifo);
    fields.flag("link_fifo", c.link_fifo);
    fields.finish();
    return c;
}

void expect_shape(const char* name, const array_in<double>& array, index_t rows, index_t columns, const char* of) {
    if (array.ndim() == 2 && array.shape(0) == rows && array.shape(1) == columns) return;
    throw InvalidArgument(std::string(name) + ": expected an array of shape " + of + " = (" + std::to_string(rows) +
                          ", " + std::to_string(columns) + "), got " +
                          py::str(array.attr("shape")).cast<std::string>());
}

template <typename T, typename Get>
py::array_t<T> column(const plant::Kpis& kpis, Get get) {
    py::array_t<T> out(static_cast<py::ssize_t>(kpis.groups.size()));
    for (std::size_t g = 0; g < kpis.groups.size(); ++g)
        out.mutable_at(static_cast<py::ssize_t>(g)) = get(kpis.groups[g]);
    return out;
}

py::dict kpis_of(Plant& source) {
    using plant::GroupCount;
    using Count = std::int64_t;
    const plant::Kpis k = source.take_kpis();
    py::array_t<Count> executed({static_cast<py::ssize_t>(k.groups.size()), static_cast<py::ssize_t>(plant::kTiers)});
    for (std::size_t g = 0; g < k.groups.size(); ++g) {
        std::copy(k.groups[g].executed.begin(), k.groups[g].executed.end(),
                  executed.mutable_data(static_cast<py::ssize_t>(g), 0));
    }
    py::array_t<double> edges(static_cast<py::ssize_t>(plant::kBins + 1));
    for (std::size_t b = 0; b <= plant::kBins; ++b)
        edges.mutable_at(static_cast<py::ssize_t>(b)) = plant::latency_edge_s(b);
    const auto bins = static_cast<py::ssize_t>(plant::kBins);
    py::dict out(
        "from_ns"_a = k.from, "to_ns"_a = k.to, "in_flight"_a = k.in_flight,
        "generated"_a = column<Count>(k, [](const GroupCount& g) { return g.generated; }),
        "in_time"_a = column<Count>(k, [](const GroupCount& g) { return g.in_time; }),
        "late"_a = column<Count>(k, [](const GroupCount& g) { return g.late; }),
        "shed"_a = column<Count>(k, [](const GroupCount& g) { return g.shed; }),
        "lost"_a = column<Count>(k, [](const GroupCount& g) { return g.lost; }),
        "latency_s"_a = column<double>(k, [](const GroupCount& g) { return static_cast<double>(g.latency_ns) * 1e-9; }),
        "in_time_latency_s"_a =
            column<double>(k, [](const GroupCount& g) { return static_cast<double>(g.in_time_latency_ns) * 1e-9; }),
        "energy_j"_a = column<double>(k, [](const GroupCount& g) { return static_cast<double>(g.energy_nj) * 1e-9; }),
        "goodput_mb"_a = column<double>(k, [](const GroupCount& g) { return g.goodput_mb; }), "executed"_a = executed,
        "latency_histogram"_a = fresh<Count>(k.histogram).reshape({py::ssize_t{-1}, bins}),
        "histogram_edges_s"_a = edges, "server_load_ghz"_a = fresh<double>(k.server_load_ghz),
        "link_load_mbps"_a = fresh<double>(k.link_load_mbps), "link_utilisation"_a = fresh<double>(k.link_utilisation),
        "cell_airtime"_a = fresh<double>(k.cell_airtime));
    add_surroundings(out, k);
    add_radio(out, k);
    return out;
}

}  // namespace

void bind_plant(py::module_& m) {
    using Ids = array_in<std::int64_t>;
    using Values = array_in<double>;
    py::class_<Plant> bound(m, "Plant",
                            "Discrete-event simulator of tasks over radio, links and servers. One thread owns it.");
    bind_surroundings(bound);
    bind_plant_access(bound);
    bind_faults(bound);
    bound
        .def(py::init([](std::uint64_t seed, const py::dict& config) {
                 return std::make_unique<Plant>(read(seed, config));
             }),
             "seed"_a, "config"_a,
             "Fields of cpp/plant/config.hpp by name, all of them; raises TypeError or ValueError.")
        // Seconds of modelled time are many milliseconds of work: other threads may run meanwhile.
        .def("run_until", &Plant::run_until, "time_ns"_a, py::call_guard<py::gil_scoped_release>(),
             "Everything that happens up to and including `time_ns`.")
        .def_property_readonly("now_ns", &Plant::now, "Time of the plant, ns.")
        .def(
            "set_shares",
            [](Plant& p, const Ids& device, const Values& shares) {
                if (shares.ndim() != 2 || shares.shape(1) != plant::kTiers) {
                    throw InvalidArgument("shares: expected an array of shape (devices, 4), got " +
                                          std::to_string(shares.ndim()) + " dimensions and " +
                                          std::to_string(shares.size()) + " values");
                }
                p.set_shares(view(device), view(shares));
            },
            "device"_a.noconvert(), "shares"_a.noconvert(), "Share of each tier for each device (k x 4), from now on.")
        .def(
            "set_site_shares",
            [](Plant& p, index_t site, const Values& cpu, const Values& uplink) {
                const index_t classes = p.config().classes();
                expect_shape("cpu", cpu, 3, classes, "(edge fog cloud, classes)");
                expect_shape("uplink", uplink, 2, classes, "(to the fog, beyond it; classes)");
                p.set_site_shares(site, view(cpu), view(uplink));
            },
            "site"_a, "cpu"_a.noconvert(), "uplink"_a.noconvert(),
            "Grants to the classes of a site: GHz at its edge, fog and cloud server, Mb/s to the fog and beyond it.")
        .def(
            "set_load", [](Plant& p, const Values& multiplier) { p.set_load(view(multiplier)); },
            "multiplier"_a.noconvert(), "Factor on the task rates of each site, from now on.")
        .def(
            "set_background", [](Plant& p, const Values& mbps) { p.set_background(view(mbps)); }, "mbps"_a.noconvert(),
            "Background of each directed link, Mb/s, from now on; cut at 99 % of the capacity.")
        .def(
            "set_routes",
            [](Plant& p, const Ids& site_ptr, const Ids& site_links, const Ids& fog_ptr, const Ids& fog_links) {
                p.set_routes(view(site_ptr), view(site_links), view(fog_ptr), view(fog_links));
            },
            "site_ptr"_a.noconvert(), "site_links"_a.noconvert(), "fog_ptr"_a.noconvert(), "fog_links"_a.noconvert(),
            "Routes for the tasks that set out from now on.")
        .def("fail_link", &Plant::fail_link, "link"_a, "Take a directed link down; the tasks on it are lost.")
        .def("repair_link", &Plant::repair_link, "link"_a, "Bring a directed link back.")
        .def("fail_server", &Plant::fail_server, "server"_a, "Take a server down; the tasks in it are lost.")
        .def("repair_server", &Plant::repair_server, "server"_a, "Bring a server back.")
        .def(
            "take_telemetry",
            [](Plant& p, Time until) {
                return py::make_tuple(
                    p.has_access() ? reports(p.take_group_reports(until)) : reports(p.take_device_reports(until)),
                    reports(p.take_server_reports(until)), reports(p.take_link_reports(until)));
            },
            "until_ns"_a,
            "Reports arrived by then: for devices (or groups), servers, links (site_ptr, id, time_ns, arrival_ns, "
            "values).")
        .def("take_kpis", &kpis_of, "Counts and sums since the last call, as a dictionary of arrays.")
        .def(
            "truth_device_rates", [](const Plant& p) { return fresh<double>(p.truth_device_rates()); },
            "Mean task rates, tasks/s.")
        .def(
            "truth_radio_mbps", [](const Plant& p) { return fresh<double>(p.truth_radio_mbps()); },
            "Uplink rates, Mb/s.")
        .def(
            "truth_clock_offset_ns", [](const Plant& p) { return fresh<std::int64_t>(p.truth_clock_offset_ns()); },
            "Clock offsets.")
        .def(
            "truth_background_mbps", [](const Plant& p) { return fresh<double>(p.truth_background_mbps()); },
            "Background by link.")
        .def(
            "truth_queue_tasks", [](Plant& p) { return fresh<std::int64_t>(p.truth_queue_tasks()); },
            "Tasks in each own CPU.");
}

}  // namespace tiertwin::bindings
