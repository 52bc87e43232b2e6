// Wear, weather and sleep of the plant. Convert, call, return.
#include <string>

#include "base/error.hpp"
#include "bindings/fields.hpp"
#include "bindings/reports.hpp"

namespace tiertwin::bindings {

using plant::WearLaw;

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

namespace {

using plant::Plant;

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

void bind_surroundings(py::class_<Plant>& bound) {
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
                                      reports(p.take_weather_reports(until)), reports(p.take_station_reports(until)));
            },
            "until_ns"_a,
            "Sensor reports arrived by then: of links and servers that wear, of microwave links, of base stations.")
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
}

}  // namespace tiertwin::bindings
