// SINR, rates and coupled loads of users whose cells and gains are known. Arrays in, arrays out.
#include <algorithm>

#include "bindings/columns.hpp"
#include "bindings/each.hpp"
#include "radio/coupling.hpp"
#include "radio/sinr.hpp"

namespace tiertwin::bindings {
namespace {

using namespace radio;
using Reals = array_in<double>;
using Ints = array_in<std::int32_t>;

// [users x k], as `strongest` gives it.
void expect_rows(const py::array& gains, const py::array& cells, py::ssize_t users) {
    const bool good = gains.ndim() == 2 && cells.ndim() == 2 && gains.shape(0) == users && cells.shape(0) == users &&
                      gains.shape(1) == cells.shape(1);
    if (!good) {
        throw InvalidArgument("expected gains and cells of shape [users, k] with " + std::to_string(users) +
                              " users, as strongest() gives them, got " + std::to_string(gains.ndim()) + " and " +
                              std::to_string(cells.ndim()) + " dimensions of " + std::to_string(gains.size()) +
                              " and " + std::to_string(cells.size()) + " values");
    }
}

Coupling couple(const Links& links, const Reals& demand, const CouplingRules& rules) {
    expect_columns("demand", links.users(), demand);
    const std::vector<double> bps = copied(demand);  // nobody changes it meanwhile
    const py::gil_scoped_release free;               // some ms an iteration at 100 000 users
    return coupled_loads(links, bps, rules);
}

void bind_links(py::module_& m) {
    py::class_<Links>(m, "Links", "Received powers of users, kept for any loads; immutable.")
        .def(py::init(
                 [](const CellMap& map, const Reals& gains, const Ints& cells, const Ints& serving, const Reals& beam) {
                     expect_rows(gains, cells, serving.size());
                     expect_columns("serving", serving.size(), serving);
                     return Links(map, view(gains), view(cells), view(serving), view(beam));
                 }),
             "map"_a, "gain_db"_a.noconvert(), "cells"_a.noconvert(), "serving"_a.noconvert(), "beam_db"_a.noconvert())
        .def_property_readonly("serving_cell", [](const Links& links) { return fresh(links.serving_cell()); })
        .def(
            "sinr",
            [](const Links& links, const Reals& load) {
                py::array_t<double> out(static_cast<py::ssize_t>(links.users()));
                links.sinr(view(load), whole(out));
                return out;
            },
            "load"_a.noconvert(), "SINR of each user, dB; -inf without a serving cell.")
        .def(
            "coupled_loads",
            [](const Links& links, const Reals& demand, double tolerance, index_t most, double efficiency, double cap) {
                const Coupling found = couple(links, demand, {tolerance, most, {efficiency, cap}});
                return py::dict("load"_a = fresh(std::span<const double>(found.load)),
                                "wanted"_a = fresh(std::span<const double>(found.wanted)),
                                "saturated"_a = fresh(std::span<const std::int32_t>(found.saturated)),
                                "iterations"_a = found.iterations, "residual"_a = found.residual,
                                "converged"_a = found.converged, "unserved"_a = found.unserved);
            },
            "demand_bps"_a.noconvert(), "tolerance"_a = 1e-9, "most_iterations"_a = 1000, "efficiency"_a = 0.7,
            "cap"_a = 7.4, "Loads of the cells that carry these demands, each disturbing the others.");
    m.def(
        "serving_beams",
        [](const CellMap& map, const Ints& cells, const Reals& azimuth, const Reals& elevation) {
            py::array_t<double> out(cells.size());
            serving_beams(map, view(cells), view(azimuth), view(elevation), whole(out));
            return out;
        },
        "map"_a, "cell"_a.noconvert(), "azimuth_error_deg"_a.noconvert(), "elevation_error_deg"_a.noconvert(),
        "Gain of the beam of each user's serving cell, dB, by its array and its errors; 0 where the cell is -1.");
    m.def(
        "sinr",
        [](const CellMap& map, const Reals& gains, const Ints& cells, const Ints& serving, const Reals& beam,
           const Reals& load) {
            expect_rows(gains, cells, serving.size());
            expect_columns("serving", serving.size(), serving);
            py::array_t<double> out(serving.size());
            sinr(map, view(gains), view(cells), view(serving), view(beam), view(load), whole(out));
            return out;
        },
        "map"_a, "gain_db"_a.noconvert(), "cells"_a.noconvert(), "serving"_a.noconvert(), "beam_db"_a.noconvert(),
        "load"_a.noconvert(), "SINR of each user, dB; `serving` is a slot, -1 none; `beam_db` may be empty.");
}

void bind_rates(py::module_& m) {
    m.def(
        "rate_of",
        [](const Reals& sinr_db, const Reals& bandwidth, double efficiency, double cap) {
            const RateRules rules{efficiency, cap};
            check(rules);
            return each([&rules](double s, double w) { return rate_of(s, w, rules); }, sinr_db, bandwidth);
        },
        "sinr_db"_a.noconvert(), "bandwidth_hz"_a.noconvert(), "efficiency"_a = 0.7, "cap"_a = 7.4,
        "bit/s: W min(efficiency log2(1 + SINR), cap).");
    m.def(
        "cqi_of",
        [](const Reals& sinr_db) {
            py::array_t<std::int32_t> out(sinr_db.size());
            for (py::ssize_t i = 0; i < sinr_db.size(); ++i) out.mutable_data()[i] = cqi_of(sinr_db.data()[i]);
            return out;
        },
        "sinr_db"_a.noconvert(), "4-bit CQI (TS 38.214 table 5.2.2.1-3) by SINR thresholds of 75 % of Shannon.");
    m.def(
        "cqi_efficiency",
        [](const Ints& cqi) {
            py::array_t<double> out(cqi.size());
            std::transform(cqi.data(), cqi.data() + cqi.size(), out.mutable_data(), cqi_efficiency);
            return out;
        },
        "cqi"_a.noconvert(), "bit/s/Hz of CQI 0 to 15.");
    m.def("cqi_threshold", &cqi_threshold, "cqi"_a, "Least SINR of CQI 1 to 15, dB.");
}

}  // namespace

void bind_sinr(py::module_& m) {
    bind_links(m);
    bind_rates(m);
}

}  // namespace tiertwin::bindings
