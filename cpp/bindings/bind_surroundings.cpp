// Wear, weather and sleep of the plant, and their kernels by themselves. Convert, call, return.
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

using plant::Plant;
using plant::WearLaw;
using Ids = array_in<std::int64_t>;
using Values = array_in<double>;

plant::WearConfig wear_of(const py::dict& source) {
    plant::WearConfig c;
    Fields fields("wear", source);
    fields.array("part_key", c.part_key);
    fields.array("part_law", c.part_law);
    for (const auto& [name, into] : {std::pair{"period_s", &c.period_s},
                                     {"ambient_c", &c.ambient_c},
                                     {"swing_c", &c.swing_c},
                                     {"day_s", &c.day_s}})
        fields.number(name, *into);
    bool first = true;
    for (const auto& [name, into] : {std::pair{"shape", &WearLaw::shape},
                                     {"scale_s", &WearLaw::scale_s},
                                     {"hazard_per_k", &WearLaw::hazard_per_k},
                                     {"hazard_load", &WearLaw::hazard_load},
                                     {"drift_per_s", &WearLaw::drift_per_s},
                                     {"sigma", &WearLaw::sigma},
                                     {"limit", &WearLaw::limit},
                                     {"activation_ev", &WearLaw::activation_ev},
                                     {"reference_c", &WearLaw::reference_c},
                                     {"idle_w", &WearLaw::idle_w},
                                     {"max_w", &WearLaw::max_w},
                                     {"k_per_w", &WearLaw::k_per_w},
                                     {"wear_k", &WearLaw::wear_k},
                                     {"vibration", &WearLaw::vibration},
                                     {"vibration_growth", &WearLaw::vibration_growth},
                                     {"errors_per_s", &WearLaw::errors_per_s},
                                     {"repair_s", &WearLaw::repair_s},
                                     {"repair_sigma", &WearLaw::repair_sigma}}) {
        std::vector<double> values;
        fields.array(name, values);
        if (first) c.laws.resize(values.size());
        first = false;
        if (values.size() != c.laws.size()) {
            throw InvalidArgument(std::string(name) + ": expected " + std::to_string(c.laws.size()) +
                                  " values (one per law, as of shape), got " + std::to_string(values.size()));
        }
        for (std::size_t k = 0; k < values.size(); ++k) c.laws[k].*into = values[k];
    }
    fields.finish();
    return c;
}

plant::RainConfig rain_of(Fields& fields) {
    plant::RainConfig c;
    for (const auto& [name, into] : {std::pair{"west", &c.west},
                                     {"south", &c.south},
                                     {"east", &c.east},
                                     {"north", &c.north},
                                     {"per_hour", &c.per_hour},
                                     {"life_s", &c.life_s},
                                     {"radius_km", &c.radius_km},
                                     {"peak_mm_h", &c.peak_mm_h},
                                     {"speed_km_h", &c.speed_km_h},
                                     {"heading_deg", &c.heading_deg},
                                     {"heading_spread_deg", &c.heading_spread_deg}})
        fields.number(name, *into);
    for (const auto& [name, into] : {std::pair{"cell_at_s", &c.at_s},
                                     {"cell_x_km", &c.x_km},
                                     {"cell_y_km", &c.y_km},
                                     {"cell_radius_km", &c.radius},
                                     {"cell_peak_mm_h", &c.peak},
                                     {"cell_life_s", &c.life},
                                     {"cell_speed_km_h", &c.speed},
                                     {"cell_heading_deg", &c.heading}})
        fields.array(name, *into);
    return c;
}

plant::WeatherConfig weather_of(const py::dict& source) {
    plant::WeatherConfig c;
    Fields fields("weather", source);
    c.rain = rain_of(fields);
    fields.number("period_s", c.period_s);
    fields.number("hysteresis_db", c.hysteresis_db);
    fields.array("link", c.link);
    fields.array("top", c.top);
    for (const auto& [name, into] : {std::pair{"x0", &c.x0},
                                     {"y0", &c.y0},
                                     {"x1", &c.x1},
                                     {"y1", &c.y1},
                                     {"ghz", &c.ghz},
                                     {"tilt", &c.tilt},
                                     {"margin_db", &c.margin_db}})
        fields.array(name, *into);
    fields.finish();
    return c;
}

plant::SleepConfig sleep_of(const py::dict& source) {
    plant::SleepConfig c;
    Fields fields("base stations", source);
    fields.array("station", c.station);
    fields.number("after_s", c.after_s);
    fields.number("wake_s", c.wake_s);
    fields.finish();
    return c;
}

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

void bind_kernels(py::module_& m) {
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

}  // namespace

void add_surroundings(py::dict& kpis, const plant::Kpis& k) {
    for (const auto& [name, values] : {std::pair{"link_down_s", &k.link_down_s},
                                       {"server_down_s", &k.server_down_s},
                                       {"link_capacity_mbps", &k.link_capacity_mbps},
                                       {"station_j", &k.station_j},
                                       {"station_asleep_s", &k.station_asleep_s}}) {
        if (!values->empty()) kpis[name] = fresh<double>(*values);
    }
    for (const auto& [name, values] :
         {std::pair{"link_failures", &k.link_failures}, {"server_failures", &k.server_failures}}) {
        if (!values->empty()) kpis[name] = fresh<std::int64_t>(*values);
    }
}

void bind_surroundings(py::module_& m, py::class_<Plant>& bound) {
    bound
        .def(
            "enable_wear", [](Plant& p, const py::dict& config) { p.enable_wear(wear_of(config)); }, "config"_a,
            "Let parts fail, wear and be repaired; before anything happened (cpp/plant/wear.hpp).")
        .def(
            "enable_weather", [](Plant& p, const py::dict& config) { p.enable_weather(weather_of(config)); },
            "config"_a, "Let rain slow microwave links; before anything happened (cpp/plant/weather.hpp).")
        .def(
            "enable_sleep", [](Plant& p, const py::dict& config) { p.enable_sleep(sleep_of(config)); }, "config"_a,
            "Count energy of base stations and let them sleep; before anything happened (cpp/plant/sleep.hpp).")
        .def(
            "take_sensors",
            [](Plant& p, Time until) {
                return py::make_tuple(reports(p.take_link_sensors(until)), reports(p.take_server_sensors(until)),
                                      reports(p.take_weather_reports(until)));
            },
            "until_ns"_a, "Sensor reports arrived by then: of links and servers that wear, of microwave links.")
        .def(
            "truth_wear",
            [](const Plant& p) {
                std::vector<double> wear, up, failures;
                const auto& parts = p.truth_surroundings().wear;
                for (index_t i = 0; parts && i < parts->parts(); ++i) {
                    wear.push_back(parts->wear(i));
                    up.push_back(parts->up(i) ? 1.0 : 0.0);
                    failures.push_back(static_cast<double>(parts->failures(i)));
                }
                return py::make_tuple(fresh<double>(wear), fresh<double>(up), fresh<double>(failures));
            },
            "Wear X, up (0 or 1) and failures so far of each part.")
        .def(
            "truth_weather",
            [](const Plant& p) {
                std::vector<double> loss, bits;
                if (const auto& weather = p.truth_surroundings().weather) {
                    loss = weather->loss_db();
                    bits.assign(weather->bits().begin(), weather->bits().end());
                }
                return py::make_tuple(fresh<double>(loss), fresh<double>(bits));
            },
            "Rain loss, dB, and bits a symbol of each microwave link.");
    bound.def(
        "truth_reports_dropped", [](const Plant& p) { return p.truth_surroundings().dropped; },
        "Sensor and weather reports dropped because nobody took them.");
    bind_kernels(m);
}

}  // namespace tiertwin::bindings
