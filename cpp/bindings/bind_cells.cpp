// Cells on a map: who hears whom, SINR, rates and coupled loads. Arrays in, arrays out, checked by the kernels.
#include "bindings/each.hpp"
#include "radio/coupling.hpp"
#include "radio/links.hpp"
#include "radio/sinr.hpp"

namespace tiertwin::bindings {
namespace {

using namespace radio;
using Reals = array_in<double>;
using Bools = array_in<bool>;
using Ints = array_in<std::int32_t>;

void expect_sizes(const char* what, std::initializer_list<py::ssize_t> sizes) {
    for (const py::ssize_t size : sizes) {
        if (size != *sizes.begin()) {
            throw InvalidArgument(std::string(what) + ": expected arrays of one length, got " +
                                  std::to_string(*sizes.begin()) + " and " + std::to_string(size));
        }
    }
}

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

CellMap make_map(const std::vector<std::string>& model, const Ints& site, const Reals& x, const Reals& y,
                 const Reals& height, const Reals& ghz, const Reals& bandwidth, const Reals& power, const Reals& noise,
                 const Reals& azimuth, const Reals& tilt, const Reals& width, const Reals& peak, const Reals& depth,
                 const Bools& every_way, const Ints& rows, const Ints& columns) {
    const auto count = static_cast<py::ssize_t>(model.size());
    expect_sizes("cells", {count, site.size(), x.size(), y.size(), height.size(), ghz.size(), bandwidth.size(),
                           power.size(), noise.size(), azimuth.size(), tilt.size(), width.size(), peak.size(),
                           depth.size(), every_way.size(), rows.size(), columns.size()});
    std::vector<Cell> cells;
    for (py::ssize_t i = 0; i < count; ++i) {
        const Sector sector{azimuth.data()[i], tilt.data()[i],  width.data()[i],
                            peak.data()[i],    depth.data()[i], every_way.data()[i]};
        cells.push_back({x.data()[i], y.data()[i], height.data()[i], ghz.data()[i], bandwidth.data()[i],
                         power.data()[i], environment_of(model[static_cast<std::size_t>(i)]), sector, rows.data()[i],
                         columns.data()[i], noise.data()[i], site.data()[i]});
    }
    return CellMap(std::move(cells));
}

void bind_map(py::module_& m) {
    py::class_<CellMap>(m, "CellMap", "Cells on a map; immutable.")
        .def(py::init(&make_map), py::kw_only(), "model"_a, "site"_a.noconvert(), "x_m"_a.noconvert(),
             "y_m"_a.noconvert(), "height_m"_a.noconvert(), "ghz"_a.noconvert(), "bandwidth_hz"_a.noconvert(),
             "power_dbm"_a.noconvert(), "noise_figure_db"_a.noconvert(), "azimuth_deg"_a.noconvert(),
             "tilt_deg"_a.noconvert(), "width_deg"_a.noconvert(), "peak_dbi"_a.noconvert(), "depth_db"_a.noconvert(),
             "every_way"_a.noconvert(), "rows"_a.noconvert(), "columns"_a.noconvert())
        .def("__len__", &CellMap::size)
        .def_property_readonly(
            "carrier", [](const CellMap& map) { return fresh(map.carriers()); },
            "Number of the carrier of each cell; carriers by ascending frequency.")
        .def_property_readonly(
            "bounds",
            [](const CellMap& map) {
                const CellMap::Box& box = map.bounds();
                return py::make_tuple(box.west, box.south, box.east, box.north);
            },
            "(west, south, east, north), m: where users may be.")
        .def(
            "candidates",
            [](const CellMap& map, double x, double y, index_t most, std::int32_t carrier) {
                std::vector<std::int32_t> cells(most > 0 ? static_cast<std::size_t>(most) : 0);
                cells.resize(static_cast<std::size_t>(map.candidates(x, y, carrier, cells)));
                return fresh(std::span<const std::int32_t>(cells));
            },
            "x_m"_a, "y_m"_a, "most"_a, "carrier"_a = kAnyCarrier,
            "Cells of the masts that are strongest at a place in the median, strongest first.");
}

void bind_links(py::module_& m) {
    m.def(
        "strongest",
        [](const CellMap& map, const Reals& x, const Reals& y, const Reals& z, const Bools& indoors, std::uint64_t seed,
           index_t k, double high_loss_share, std::int32_t carrier, index_t masts) {
            expect_sizes("users", {x.size(), y.size(), z.size(), indoors.size()});
            if (k < 1) throw InvalidArgument("expected 1 cell or more of each user, got " + std::to_string(k));
            py::array_t<std::int32_t> cells({x.size(), static_cast<py::ssize_t>(k)});
            py::array_t<double> gains({x.size(), static_cast<py::ssize_t>(k)});
            strongest(map, view(x), view(y), view(z), view(indoors), seed, k,
                      {cells.mutable_data(), static_cast<std::size_t>(cells.size())},
                      {gains.mutable_data(), static_cast<std::size_t>(gains.size())},
                      {high_loss_share, carrier, masts});
            return py::make_tuple(cells, gains);
        },
        "map"_a, "x_m"_a.noconvert(), "y_m"_a.noconvert(), "z_m"_a.noconvert(), "indoors"_a.noconvert(), "seed"_a,
        "k"_a, "high_loss_share"_a = 0.2, "carrier"_a = kAnyCarrier, "masts"_a = 0,
        "(cells, gains in dB), [users, k] each: those of the largest received power; -1 and -inf where fewer.");
    m.def(
        "indoors_at",
        [](std::uint64_t seed, double share, const Reals& x, const Reals& y) {
            expect_sizes("places", {x.size(), y.size()});
            py::array_t<bool> indoors(x.size());
            indoors_at(seed, share, view(x), view(y), {indoors.mutable_data(), static_cast<std::size_t>(x.size())});
            return indoors;
        },
        "seed"_a, "share"_a, "x_m"_a.noconvert(), "y_m"_a.noconvert(), "Which places lie in buildings, by place.");
    m.def(
        "normal_field",
        [](std::uint64_t seed, std::int64_t entity, std::uint32_t purpose, double correlation, const Reals& x,
           const Reals& y) {
            const Field field(seed, entity, purpose, correlation);
            return each([&field](double east, double north) { return field(east, north); }, x, y);
        },
        "seed"_a, "entity"_a, "purpose"_a, "correlation_m"_a, "x_m"_a.noconvert(), "y_m"_a.noconvert(),
        "Standard normal field with correlation of about exp(-d / correlation_m).");
}

void bind_sinr(py::module_& m) {
    py::class_<Links>(m, "Links", "Received powers of users, kept for any loads; immutable.")
        .def(py::init(
                 [](const CellMap& map, const Reals& gains, const Ints& cells, const Ints& serving, const Reals& beam) {
                     expect_rows(gains, cells, serving.size());
                     return Links(map, view(gains), view(cells), view(serving), view(beam));
                 }),
             "map"_a, "gain_db"_a.noconvert(), "cells"_a.noconvert(), "serving"_a.noconvert(), "beam_db"_a.noconvert())
        .def_property_readonly("serving_cell", [](const Links& links) { return fresh(links.serving_cell()); })
        .def(
            "sinr",
            [](const Links& links, const Reals& load) {
                py::array_t<double> out(static_cast<py::ssize_t>(links.users()));
                links.sinr(view(load), {out.mutable_data(), static_cast<std::size_t>(out.size())});
                return out;
            },
            "load"_a.noconvert(), "SINR of each user, dB; -inf without a serving cell.")
        .def(
            "coupled_loads",
            [](const Links& links, const Reals& demand, double tolerance, index_t most, double efficiency, double cap) {
                const Coupling found = coupled_loads(links, view(demand), {tolerance, most, {efficiency, cap}});
                return py::dict("load"_a = fresh(std::span<const double>(found.load)),
                                "wanted"_a = fresh(std::span<const double>(found.wanted)),
                                "saturated"_a = fresh(std::span<const std::int32_t>(found.saturated)),
                                "iterations"_a = found.iterations, "residual"_a = found.residual,
                                "converged"_a = found.converged, "unserved"_a = found.unserved);
            },
            "demand_bps"_a.noconvert(), "tolerance"_a = 1e-9, "most_iterations"_a = 1000, "efficiency"_a = 0.7,
            "cap"_a = 7.4, "Loads of the cells that carry these demands, each disturbing the others.");
    m.def(
        "sinr",
        [](const CellMap& map, const Reals& gains, const Ints& cells, const Ints& serving, const Reals& beam,
           const Reals& load) {
            expect_rows(gains, cells, serving.size());
            py::array_t<double> out(serving.size());
            sinr(map, view(gains), view(cells), view(serving), view(beam), view(load),
                 {out.mutable_data(), static_cast<std::size_t>(out.size())});
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
    m.def("cqi_efficiency", &cqi_efficiency, "cqi"_a, "bit/s/Hz.");
    m.def("cqi_threshold", &cqi_threshold, "cqi"_a, "Least SINR, dB.");
}

}  // namespace

void bind_cells(py::module_& m) {
    bind_map(m);
    bind_links(m);
    bind_sinr(m);
    bind_rates(m);
}

}  // namespace tiertwin::bindings
