// Cells on a map, fields, and whom each user hears best. Arrays in, arrays out; values are checked by the kernels.
#include <algorithm>
#include <memory>

#include "bindings/columns.hpp"
#include "bindings/each.hpp"
#include "radio/links.hpp"

namespace tiertwin::bindings {
namespace {

using namespace radio;
using Reals = array_in<double>;
using Bools = array_in<bool>;
using Ints = array_in<std::int32_t>;

CellMap make_map(const std::vector<std::string>& model, const Ints& site, const Reals& x, const Reals& y,
                 const Reals& height, const Reals& ghz, const Reals& bandwidth, const Reals& power, const Reals& noise,
                 const Reals& azimuth, const Reals& tilt, const Reals& width, const Reals& peak, const Reals& depth,
                 const Bools& every_way, const Ints& rows, const Ints& columns) {
    const auto count = static_cast<py::ssize_t>(model.size());
    expect_columns("cells", count, site, x, y, height, ghz, bandwidth, power, noise, azimuth, tilt, width, peak, depth,
                   every_way, rows, columns);
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
            expect_columns("users", x.size(), x, y, z, indoors);
            if (k < 1) throw InvalidArgument("expected 1 cell or more of each user, got " + std::to_string(k));
            py::array_t<std::int32_t> cells({x.size(), static_cast<py::ssize_t>(k)});
            py::array_t<double> gains({x.size(), static_cast<py::ssize_t>(k)});
            const auto ids = whole(cells);
            const auto values = whole(gains);
            const std::vector<double> xs = copied(x), ys = copied(y), zs = copied(z);  // nobody changes these meanwhile
            const auto inside = std::make_unique<bool[]>(static_cast<std::size_t>(indoors.size()));
            std::copy_n(indoors.data(), indoors.size(), inside.get());
            {
                const py::gil_scoped_release free;  // about 25 us a user: seconds for a city
                strongest(map, xs, ys, zs, {inside.get(), xs.size()}, seed, k, ids, values,
                          {high_loss_share, carrier, masts});
            }
            return py::make_tuple(cells, gains);
        },
        "map"_a, "x_m"_a.noconvert(), "y_m"_a.noconvert(), "z_m"_a.noconvert(), "indoors"_a.noconvert(), "seed"_a,
        "k"_a, "high_loss_share"_a = 0.2, "carrier"_a = kAnyCarrier, "masts"_a = 0,
        "(cells, gains in dB), [users, k] each: those of the largest received power; -1 and -inf where fewer.");
    m.def(
        "indoors_at",
        [](std::uint64_t seed, double share, const Reals& x, const Reals& y) {
            expect_columns("places", x.size(), x, y);
            py::array_t<bool> indoors(x.size());
            indoors_at(seed, share, view(x), view(y), whole(indoors));
            return indoors;
        },
        "seed"_a, "share"_a, "x_m"_a.noconvert(), "y_m"_a.noconvert(), "Which places lie in buildings, by place.");
    m.def(
        "normal_field",
        [](std::uint64_t seed, std::int64_t entity, std::uint32_t purpose, double correlation, const Reals& x,
           const Reals& y) {
            const Field field(seed, entity, purpose, correlation);
            return each(
                [&field](double east, double north) {
                    if (!Field::reaches(east, north)) throw InvalidArgument("expected coordinates of -1e9 to 1e9 m");
                    return field(east, north);
                },
                x, y);
        },
        "seed"_a, "entity"_a, "purpose"_a, "correlation_m"_a, "x_m"_a.noconvert(), "y_m"_a.noconvert(),
        "Standard normal field with correlation of about exp(-d / correlation_m).");
}

}  // namespace

void bind_cells(py::module_& m) {
    bind_map(m);
    bind_links(m);
}

}  // namespace tiertwin::bindings
