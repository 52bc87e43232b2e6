// Radio access networks: a dictionary of arrays in, reports and books as fresh arrays out. Convert, call, return.
#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "bindings/common.hpp"
#include "bindings/fields.hpp"
#include "bindings/reports.hpp"
#include "bindings/rules.hpp"
#include "plant/access.hpp"

namespace tiertwin::bindings {
namespace {

using plant::AccessConfig;
using plant::AccessNetwork;
using plant::AirCount;
using plant::CellCount;
using plant::CellSecret;

}  // namespace

plant::AccessConfig access_config(std::uint64_t seed, const py::dict& source, const AccessZones& zones) {
    AccessConfig c;
    c.seed = seed;
    for (const auto& [rules, track] : zones) c.zone_rules.push_back(mobility_rules(rules, track));
    Fields fields("AccessNetwork", source);
    for (const auto& [name, into] : {std::pair{"cell_x", &c.cell_x},
                                     {"cell_y", &c.cell_y},
                                     {"cell_height", &c.cell_height},
                                     {"cell_ghz", &c.cell_ghz},
                                     {"cell_bandwidth_hz", &c.cell_bandwidth_hz},
                                     {"cell_power_dbm", &c.cell_power_dbm},
                                     {"cell_azimuth", &c.cell_azimuth},
                                     {"cell_tilt", &c.cell_tilt},
                                     {"cell_noise_db", &c.cell_noise_db},
                                     {"cell_idle_w", &c.cell_idle_w},
                                     {"cell_slope", &c.cell_slope},
                                     {"cell_sleep_w", &c.cell_sleep_w},
                                     {"zone_x", &c.zone_x},
                                     {"zone_y", &c.zone_y},
                                     {"user_x", &c.user_x},
                                     {"user_y", &c.user_y},
                                     {"user_z", &c.user_z},
                                     {"class_report_s", &c.class_report_s},
                                     {"flow_pps", &c.flow_pps},
                                     {"flow_on_s", &c.flow_on_s},
                                     {"flow_off_s", &c.flow_off_s}}) {
        fields.array(name, *into);
    }
    for (const auto& [name, into] : {std::pair{"cell_environment", &c.cell_environment},
                                     {"cell_every_way", &c.cell_every_way},
                                     {"cell_rows", &c.cell_rows},
                                     {"cell_columns", &c.cell_columns},
                                     {"cell_site", &c.cell_site},
                                     {"cell_prbs", &c.cell_prbs},
                                     {"cell_chains", &c.cell_chains},
                                     {"user_key", &c.user_key},
                                     {"user_class", &c.user_class},
                                     {"user_zone", &c.user_zone},
                                     {"user_walk", &c.user_walk},
                                     {"user_train", &c.user_train},
                                     {"user_indoors", &c.user_indoors},
                                     {"flow_arrival", &c.flow_arrival},
                                     {"flow_size", &c.flow_size},
                                     {"flow_bytes", &c.flow_bytes},
                                     {"flow_burst", &c.flow_burst},
                                     {"flow_buffer", &c.flow_buffer}}) {
        fields.array(name, *into);
    }
    for (const auto& [name, into] : {std::pair{"west", &c.west},
                                     {"south", &c.south},
                                     {"east", &c.east},
                                     {"north", &c.north},
                                     {"refresh_m", &c.refresh_m},
                                     {"high_loss_share", &c.high_loss_share},
                                     {"user_noise_db", &c.user_noise_db},
                                     {"user_dbm", &c.user_dbm},
                                     {"p0_dbm", &c.p0_dbm},
                                     {"alpha", &c.alpha},
                                     {"interruption_ms", &c.interruption_ms},
                                     {"reestablish_ms", &c.reestablish_ms},
                                     {"hysteresis_db", &c.handover.hysteresis},
                                     {"offset_db", &c.handover.offset},
                                     {"trigger_ms", &c.handover.trigger_ms},
                                     {"filter_k", &c.handover.filter_k},
                                     {"out_db", &c.handover.out},
                                     {"in_db", &c.handover.in},
                                     {"t310_ms", &c.handover.t310_ms},
                                     {"ping_pong_ms", &c.handover.ping_pong_ms},
                                     {"cell_report_s", &c.cell_report_s},
                                     {"delay_low_s", &c.delay_low_s},
                                     {"delay_high_s", &c.delay_high_s},
                                     {"loss", &c.loss},
                                     {"noise", &c.noise},
                                     {"clock_offset_s", &c.clock_offset_s},
                                     {"level_db", &c.level_db},
                                     {"position_m", &c.position_m},
                                     {"hidden_loss_db", &c.hidden_loss_db},
                                     {"hidden_azimuth", &c.hidden_azimuth},
                                     {"hidden_tilt", &c.hidden_tilt},
                                     {"efficiency_low", &c.efficiency_low},
                                     {"efficiency_high", &c.efficiency_high},
                                     {"in_order_share", &c.in_order_share},
                                     {"unseen_share", &c.unseen_share}}) {
        fields.number(name, *into);
    }
    for (const auto& [name, into] : {std::pair{"step_ms", &c.step_ms},
                                     {"heard", &c.heard},
                                     {"measured", &c.measured},
                                     {"masts", &c.masts},
                                     {"sleep_after_ms", &c.sleep_after_ms},
                                     {"wake_ms", &c.wake_ms}}) {
        fields.integer(name, *into);
    }
    fields.flag("record", c.record);
    fields.finish();
    return c;
}

namespace {

template <typename T, typename Get>
py::array_t<T> column(std::size_t size, Get get) {
    py::array_t<T> out(static_cast<py::ssize_t>(size));
    for (std::size_t i = 0; i < size; ++i) out.mutable_data()[i] = static_cast<T>(get(i));
    return out;
}

void check_shares(const array_in<double>& at) {
    for (const double q : view(at)) {
        if (!(q >= 0 && q <= 1)) throw InvalidArgument("q: expected numbers from 0 to 1, got " + std::to_string(q));
    }
}

py::dict groups_of(AccessNetwork& network, const array_in<double>& at) {
    using Count = std::int64_t;
    plant::Air& air = network.air();
    const auto counts = air.counts();
    const auto of = [&](Count AirCount::* field) {
        return column<Count>(counts.size(), [&](std::size_t g) { return counts[g].*field; });
    };
    const auto groups = static_cast<py::ssize_t>(counts.size());
    py::array_t<Count> packets({groups, at.size()}), tasks({groups, at.size()});
    for (py::ssize_t g = 0; g < groups; ++g) {
        for (py::ssize_t k = 0; k < at.size(); ++k) {
            packets.mutable_at(g, k) = air.quantile(static_cast<std::size_t>(g), at.data()[k]);
            tasks.mutable_at(g, k) = air.task_quantile(static_cast<std::size_t>(g), at.data()[k]);
        }
    }
    return py::dict("sent"_a = of(&AirCount::sent), "received"_a = of(&AirCount::received),
                    "lost"_a = of(&AirCount::lost), "bits"_a = of(&AirCount::bits), "delay_ns"_a = of(&AirCount::delay),
                    "longest_ns"_a = of(&AirCount::longest), "tasks_sent"_a = of(&AirCount::tasks_sent),
                    "tasks_done"_a = of(&AirCount::tasks_done), "tasks_lost"_a = of(&AirCount::tasks_lost),
                    "task_delay_ns"_a = of(&AirCount::task_delay), "quantiles_ns"_a = packets,
                    "task_quantiles_ns"_a = tasks);
}

py::dict cells_of(const AccessNetwork& network) {
    const std::vector<CellCount> counts = network.cell_counts();
    const auto whole = [&](std::int64_t CellCount::* field) {
        return column<std::int64_t>(counts.size(), [&](std::size_t c) { return counts[c].*field; });
    };
    const auto real = [&](double CellCount::* field) {
        return column<double>(counts.size(), [&](std::size_t c) { return counts[c].*field; });
    };
    return py::dict("prbs_down"_a = whole(&CellCount::prbs_down), "prbs_up"_a = whole(&CellCount::prbs_up),
                    "steps"_a = whole(&CellCount::steps), "attaches"_a = whole(&CellCount::attaches),
                    "handovers"_a = whole(&CellCount::handovers), "ping_pongs"_a = whole(&CellCount::ping_pongs),
                    "failures"_a = whole(&CellCount::failures), "energy_j"_a = real(&CellCount::energy_j),
                    "asleep_s"_a = real(&CellCount::asleep_s), "active"_a = real(&CellCount::active));
}

py::tuple take_kpis(AccessNetwork& network, const array_in<double>& at) {
    check_shares(at);
    py::tuple books = py::make_tuple(groups_of(network, at), cells_of(network), network.air().under_way());
    network.forget_counts();
    return books;
}

}  // namespace

py::dict truth_cells(const AccessNetwork& n) {
    const auto secrets = n.secrets();
    const auto of = [&](double CellSecret::* field) {
        return column<double>(secrets.size(), [&](std::size_t c) { return secrets[c].*field; });
    };
    return py::dict("loss_db"_a = of(&CellSecret::loss_db), "azimuth"_a = of(&CellSecret::azimuth),
                    "tilt"_a = of(&CellSecret::tilt), "efficiency"_a = of(&CellSecret::efficiency),
                    "in_order"_a = column<bool>(secrets.size(), [&](std::size_t c) { return secrets[c].in_order; }),
                    "load_down"_a = fresh<double>(n.rates().load_down()),
                    "disturbed_up_mw"_a = fresh<double>(n.rates().disturbed_up()),
                    "asleep"_a = column<bool>(secrets.size(), [&](std::size_t c) { return n.asleep(c); }),
                    "most_prbs"_a = n.air().most_used());
}

py::dict truth_users(const AccessNetwork& n) {
    const std::size_t users = n.config().users(), heard = n.links().heard();
    py::array_t<double> places({static_cast<py::ssize_t>(users), py::ssize_t{3}});
    py::array_t<std::int64_t> cells({static_cast<py::ssize_t>(users), static_cast<py::ssize_t>(heard)});
    py::array_t<double> levels({static_cast<py::ssize_t>(users), static_cast<py::ssize_t>(heard)});
    for (std::size_t u = 0; u < users; ++u) {
        const plant::Place at = n.crowd().place(u);
        const double xyz[3] = {at.x, at.y, at.z};
        std::copy(xyz, xyz + 3, places.mutable_data() + 3 * u);
        for (std::size_t s = 0; s < heard; ++s) {
            cells.mutable_data()[u * heard + s] = n.links().cells(u)[s];
            levels.mutable_data()[u * heard + s] = 10.0 * std::log10(static_cast<double>(n.links().received(u)[s]));
        }
    }
    const auto db = [](double ratio) { return 10.0 * std::log10(ratio); };
    return py::dict("places"_a = places, "heard"_a = cells, "received_dbm"_a = levels,
                    "serving"_a = column<std::int64_t>(users, [&](std::size_t u) { return n.crowd().serving(u); }),
                    "sinr_down_db"_a = column<double>(users, [&](std::size_t u) { return db(n.rates().sinr_down(u)); }),
                    "sinr_up_db"_a = column<double>(users, [&](std::size_t u) { return db(n.rates().sinr_up(u)); }),
                    "down_bits"_a = column<std::int64_t>(users, [&](std::size_t u) { return n.rates().down(u).bits; }),
                    "up_bits"_a = column<std::int64_t>(users, [&](std::size_t u) { return n.rates().up(u).bits; }),
                    "up_most_prbs"_a = column<std::int64_t>(users, [&](std::size_t u) { return n.rates().up(u).most; }),
                    "unseen"_a = column<bool>(users, [&](std::size_t u) { return n.reports().unseen(u); }));
}

py::dict truth_packets(const plant::Air& air) {
    const auto r = air.records();
    return py::dict("flow"_a = column<std::int64_t>(r.size(), [&](std::size_t i) { return r[i].flow; }),
                    "packets"_a = column<std::int64_t>(r.size(), [&](std::size_t i) { return r[i].packets; }),
                    "born_ns"_a = column<std::int64_t>(r.size(), [&](std::size_t i) { return r[i].born; }),
                    "received_ns"_a = column<std::int64_t>(r.size(), [&](std::size_t i) { return r[i].received; }));
}

namespace {

// One station alone, every flow in it from the start.
py::dict play_station(std::int64_t prbs, bool in_order, const array_in<std::uint32_t>& buffer,
                      const array_in<std::uint32_t>& prb_bits, const array_in<std::uint32_t>& most_prbs,
                      const array_in<std::int64_t>& time, const array_in<std::uint32_t>& flow,
                      const array_in<std::uint32_t>& packets, const array_in<std::uint32_t>& bits,
                      const array_in<std::int64_t>& until) {
    const auto flows = static_cast<std::size_t>(buffer.size());
    const py::ssize_t n = time.size();
    if (prbs < 1 || prbs > 0xffff) throw InvalidArgument("prbs: expected 1 to 65535, got " + std::to_string(prbs));
    if (prb_bits.size() != buffer.size() || most_prbs.size() != buffer.size() || flow.size() != n ||
        packets.size() != n || bits.size() != n) {
        throw InvalidArgument(
            "expected buffer, prb_bits, most_prbs of one length, and time, flow, packets, bits likewise");
    }
    const std::uint32_t blocks = static_cast<std::uint32_t>(prbs);
    const std::uint8_t law = in_order ? 1 : 0;
    const std::vector<std::uint32_t> group(flows, 0);
    plant::Air air({&blocks, 1}, {&law, 1}, group, view(buffer), 1);
    air.keep_records();
    for (std::size_t f = 0; f < flows; ++f) {
        air.set_rate(f, prb_bits.data()[f], most_prbs.data()[f]);
        air.move(f, 0);
    }
    for (py::ssize_t i = 0; i < n; ++i) {
        if (flow.data()[i] >= flows || packets.data()[i] < 1 || bits.data()[i] < 1) {
            throw InvalidArgument("arrival " + std::to_string(i) + ": expected a flow below " + std::to_string(flows) +
                                  ", 1 packet or more, 1 bit or more");
        }
        air.arrive(0, {time.data()[i], flow.data()[i], packets.data()[i], bits.data()[i]});
    }
    air.sort(0);
    for (const std::int64_t to : view(until)) air.play(0, to);
    py::dict out = truth_packets(air);
    out["used_prbs"] = air.used(0);
    out["under_way"] = air.under_way();
    return out;
}

}  // namespace

void bind_access(py::module_& m) {
    py::class_<AccessNetwork>(
        m, "AccessNetwork",
        "Users that move, attach, hand over and share blocks, packet by packet. One thread owns it.")
        .def(py::init([](std::uint64_t seed, const py::dict& config, const AccessZones& zones) {
                 return std::make_unique<AccessNetwork>(access_config(seed, config, zones));
             }),
             "seed"_a, "config"_a, "zones"_a,
             "Fields of cpp/plant/access_config.hpp by name, all of them; rules and track of each zone.")
        // Seconds of modelled time are many milliseconds of work: other threads may run meanwhile.
        .def("run_until", &AccessNetwork::run_until, "time_ns"_a, py::call_guard<py::gil_scoped_release>(),
             "Everything that happens before `time_ns`.")
        .def_property_readonly("now_ns", &AccessNetwork::now, "Time of the network, ns.")
        .def(
            "lead",
            [](AccessNetwork& self, const array_in<std::int64_t>& users, const array_in<double>& places) {
                self.lead(view(users), view(places));
            },
            "users"_a.noconvert(), "places"_a.noconvert(), "Put led users somewhere: x, y, z [k, 3], m.")
        .def(
            "set_down",
            [](AccessNetwork& self, const array_in<std::int64_t>& cells, bool down) {
                self.set_down(view(cells), down);
            },
            "cells"_a.noconvert(), "down"_a, "Fail or repair cells, from the next step on.")
        .def("set_sleep", &AccessNetwork::set_sleep, "after_ms"_a, "Idle for so long, cells sleep; 0: never.")
        .def(
            "take_user_reports",
            [](AccessNetwork& self, std::int64_t until) { return reports(self.take_user_reports(until)); },
            "until_ns"_a, "Reports of users that arrived by then.")
        .def(
            "take_cell_reports",
            [](AccessNetwork& self, std::int64_t until) { return reports(self.take_cell_reports(until)); },
            "until_ns"_a, "Reports of cells that arrived by then.")
        .def("take_kpis", &take_kpis, "q"_a.noconvert(),
             "Books since the last call: by class and direction, by cell, under way.")
        .def("truth_cells", &truth_cells, "What is hidden of cells, and their loads.")
        .def("truth_users", &truth_users, "Where users are, what they hear, how well.")
        .def(
            "truth_packets", [](const AccessNetwork& self) { return truth_packets(self.air()); },
            "What every batch of packets met, if records are kept; received -1: lost.");
    m.def("play_station", &play_station, "prbs"_a, "in_order"_a, "buffer"_a.noconvert(), "prb_bits"_a.noconvert(),
          "most_prbs"_a.noconvert(), "time_ns"_a.noconvert(), "flow"_a.noconvert(), "packets"_a.noconvert(),
          "bits"_a.noconvert(), "until_ns"_a.noconvert(),
          "One cell's air in one direction, for given arrivals and rates.");
}

}  // namespace tiertwin::bindings
