// Kernels of wear, rain, modulation and base stations by themselves. Convert, call, return.
#include <string>

#include "base/error.hpp"
#include "bindings/each.hpp"
#include "bindings/fields.hpp"
#include "bindings/reports.hpp"
#include "plant/rain_field.hpp"
#include "plant/wear.hpp"
#include "radio/backhaul.hpp"
#include "radio/base_station.hpp"

namespace tiertwin::bindings {
namespace {

using Ids = array_in<std::int64_t>;
using Values = array_in<double>;

// Parts under loads that do not change: (time_ns, part, up) of failures and repairs, and signals by measurement.
py::tuple history(std::uint64_t seed, const py::dict& config, const Values& load, Time until, bool keep) {
    plant::Wear wear(wear_of(config), plant::Chance(seed));
    if (static_cast<index_t>(load.size()) != wear.parts()) {
        throw InvalidArgument("load: expected " + std::to_string(wear.parts()) + " values (one per part), got " +
                              std::to_string(load.size()));
    }
    std::vector<std::int64_t> time, part, up;
    std::vector<double> felt;
    for (Time now = 0;;) {
        now = std::min(wear.next_event(), wear.next_measurement());
        if (now > until) break;
        if (wear.next_event() == now) {
            const plant::Wear::Event event = wear.step();
            time.push_back(event.time);
            part.push_back(event.part);
            up.push_back(event.up ? 1 : 0);
            continue;
        }
        wear.measure(view(load));
        for (index_t p = 0; keep && p < wear.parts(); ++p) {
            const plant::Signals& s = wear.signals(p);
            for (const double value : {wear.wear(p), s.temperature_c, s.vibration, s.errors}) felt.push_back(value);
        }
    }
    return py::make_tuple(fresh<std::int64_t>(time), fresh<std::int64_t>(part), fresh<std::int64_t>(up),
                          fresh<double>(felt).reshape({py::ssize_t{-1}, load.size(), py::ssize_t{4}}));
}

}  // namespace

void bind_wear(py::module_& m) {
    m.def("wear_history", &history, "seed"_a, "config"_a, "load"_a.noconvert(), "until_ns"_a, "keep_signals"_a,
          "Parts under constant loads: time_ns, part, up of failures and repairs; signals[measurement, part, 4] of X, "
          "temperature, vibration, errors (cpp/plant/wear.hpp).");
    m.def(
        "heat_factor",
        [](double ev, double reference, const Values& celsius) {
            return each([=](double c) { return plant::heat_factor(ev, reference, c); }, celsius);
        },
        "activation_ev"_a, "reference_c"_a, "celsius"_a.noconvert(), "Arrhenius acceleration against the reference.");
    m.def(
        "backhaul_step",
        [](const Ids& bits, const Values& snr, int top, double hysteresis) {
            if (bits.size() != snr.size()) {
                throw InvalidArgument("snr: expected " + std::to_string(bits.size()) + " values (one per step), got " +
                                      std::to_string(snr.size()));
            }
            std::vector<std::int64_t> next(static_cast<std::size_t>(bits.size()));
            for (std::size_t i = 0; i < next.size(); ++i) {
                const std::int64_t now = std::min<std::int64_t>(view(bits)[i], 1000);
                next[i] = radio::next_step(static_cast<int>(now), view(snr)[i], top, hysteresis);
            }
            return fresh<std::int64_t>(next);
        },
        "bits"_a.noconvert(), "snr_db"_a.noconvert(), "top"_a, "hysteresis_db"_a,
        "Next step of adaptive modulation, bits a symbol; 0: outage (cpp/radio/backhaul.hpp).");
    m.def("backhaul_needed_snr", &radio::needed_snr, "bits"_a, "SNR that a step needs, dB.");
    m.def(
        "base_station_power",
        [](const std::string& kind, const Values& load) {
            const radio::BaseStation& station = radio::base_station(kind);
            return each([&](double l) { return radio::station_power(station, l); }, load);
        },
        "kind"_a, "load"_a.noconvert(), "Power of an awake station by load 0..1, W (EARTH).");
    m.def(
        "base_station_sleeping_power",
        [](const std::string& kind) { return radio::sleeping_power(radio::base_station(kind)); }, "kind"_a,
        "Power of a station asleep, W (EARTH).");
    using plant::RainField;
    py::class_<RainField>(m, "RainField", "Cells of rain over a plane; time moves forward (cpp/plant/rain_field.hpp).")
        .def(py::init([](std::uint64_t seed, const py::dict& config) {
                 Fields fields("rain", config);
                 plant::RainConfig rain = rain_of(fields);
                 fields.finish();
                 return std::make_unique<RainField>(std::move(rain), plant::Chance(seed));
             }),
             "seed"_a, "config"_a, "All fields; raises TypeError or ValueError.")
        .def("advance", &RainField::advance, "time_ns"_a, "Move to a time that is not before the last one.")
        .def_property_readonly("cells", &RainField::cells, "Cells that rain now.")
        .def(
            "rates",
            [](const RainField& f, const Values& x, const Values& y) {
                return each([&](double a, double b) { return f.rate(a, b); }, x, y);
            },
            "x_km"_a.noconvert(), "y_km"_a.noconvert(), "Rain rates, mm/h.")
        .def(
            "losses",
            [](const RainField& f, const Values& x0, const Values& y0, const Values& x1, const Values& y1,
               const Values& k, const Values& alpha) {
                return each([&](double a, double b, double c, double d, double e,
                                double g) { return f.loss({a, b, c, d, e, g}); },
                            x0, y0, x1, y1, k, alpha);
            },
            "x0"_a.noconvert(), "y0"_a.noconvert(), "x1"_a.noconvert(), "y1"_a.noconvert(), "k"_a.noconvert(),
            "alpha"_a.noconvert(), "Losses of straight paths, dB: integral of k R^alpha over the length in km.");
}

}  // namespace tiertwin::bindings
