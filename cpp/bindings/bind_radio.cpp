// Losses of radio links over arrays: every array is one-dimensional, of one length or of length 1 (used for all).
#include "bindings/each.hpp"
#include "radio/antenna.hpp"
#include "radio/propagation.hpp"
#include "radio/rain.hpp"
#include "radio/satellite.hpp"

namespace tiertwin::bindings {
namespace {

using Reals = array_in<double>;
using Bools = array_in<bool>;

void bind_terrestrial(py::module_& m) {
    using namespace radio;
    m.def(
        "sight_probability",
        [](const std::string& model, const Reals& distance, const Reals& base, const Reals& user) {
            const Environment e = environment_of(model);
            return each([e](double d, double b, double u) { return sight_probability(e, {d, b, u}); }, distance, base,
                        user);
        },
        "model"_a, "distance_m"_a.noconvert(), "base_height_m"_a.noconvert(), "user_height_m"_a.noconvert(),
        "Probability of line of sight (TR 38.901 table 7.4.2-1); models: uma, umi, rma, inh.");
    m.def(
        "path_loss",
        [](const std::string& model, const Reals& distance, const Reals& base, const Reals& user, const Reals& ghz,
           const Bools& in_sight, const Reals& effective) {
            const Environment e = environment_of(model);
            return each([e](double d, double b, double u, double f, bool s,
                            double h) { return path_loss(e, {d, b, u}, f, s, h); },
                        distance, base, user, ghz, in_sight, effective);
        },
        "model"_a, "distance_m"_a.noconvert(), "base_height_m"_a.noconvert(), "user_height_m"_a.noconvert(),
        "ghz"_a.noconvert(), "in_sight"_a.noconvert(), "effective_height_m"_a.noconvert(),
        "Median path loss, dB (TR 38.901 table 7.4.1-1); the effective height is 1 m but for tall users in uma.");
    m.def(
        "breakpoint_distance",
        [](const std::string& model, const Reals& base, const Reals& user, const Reals& ghz, const Reals& effective) {
            const Environment e = environment_of(model);
            return each([e](double b, double u, double f, double h) { return breakpoint(e, {0.0, b, u}, f, h); }, base,
                        user, ghz, effective);
        },
        "model"_a, "base_height_m"_a.noconvert(), "user_height_m"_a.noconvert(), "ghz"_a.noconvert(),
        "effective_height_m"_a.noconvert(), "Where the slope changes, m along the ground; infinity: nowhere.");
    m.def(
        "effective_height",
        [](const Reals& distance, const Reals& base, const Reals& user, const Reals& uniform) {
            return each([](double d, double b, double u, double x) { return effective_height({d, b, u}, x); }, distance,
                        base, user, uniform);
        },
        "distance_m"_a.noconvert(), "base_height_m"_a.noconvert(), "user_height_m"_a.noconvert(),
        "uniform"_a.noconvert(), "Height of the surroundings of uma users, m, drawn with numbers in [0, 1).");
    m.def(
        "shadowing",
        [](const std::string& model, const Reals& distance, const Reals& base, const Reals& user, const Reals& ghz,
           const Bools& in_sight) {
            const Environment e = environment_of(model);
            const auto part = [&](double Shadowing::* field) {
                return each([e, field](double d, double b, double u, double f,
                                       bool s) { return shadowing(e, {d, b, u}, f, s).*field; },
                            distance, base, user, ghz, in_sight);
            };
            return py::make_tuple(part(&Shadowing::sigma), part(&Shadowing::correlation));
        },
        "model"_a, "distance_m"_a.noconvert(), "base_height_m"_a.noconvert(), "user_height_m"_a.noconvert(),
        "ghz"_a.noconvert(), "in_sight"_a.noconvert(),
        "(standard deviation in dB, correlation distance in m) of shadowing (TR 38.901 table 7.5-6).");
    m.def(
        "building_wall_loss",
        [](const Reals& ghz, bool high) { return each([high](double f) { return building_wall(f, high).loss; }, ghz); },
        "ghz"_a.noconvert(), "high_loss"_a,
        "Median loss from outside through a wall, dB (TR 38.901 table 7.4.3-2); 0.5 dB a metre behind it come on top.");
    m.def(
        "free_space_loss", [](const Reals& distance, const Reals& ghz) { return each(free_space_loss, distance, ghz); },
        "distance_m"_a.noconvert(), "ghz"_a.noconvert(), "Free-space loss, dB.");
}

void bind_rain(py::module_& m) {
    using namespace radio;
    m.def(
        "rain_coefficients",
        [](const Reals& ghz, const Reals& elevation, const Reals& tilt) {
            const auto part = [&](double RainCoefficients::* field) {
                return each([field](double f, double el, double t) { return rain_coefficients(f, el, t).*field; }, ghz,
                            elevation, tilt);
            };
            return py::make_tuple(part(&RainCoefficients::k), part(&RainCoefficients::alpha));
        },
        "ghz"_a.noconvert(), "elevation_deg"_a.noconvert(), "tilt_deg"_a.noconvert(),
        "(k, alpha) of ITU-R P.838-3; tilt of the polarisation: 0 horizontal, 90 vertical, 45 circular.");
    m.def(
        "rain_attenuation",
        [](const Reals& ghz, const Reals& rain, const Reals& elevation, const Reals& tilt) {
            return each(rain_attenuation, ghz, rain, elevation, tilt);
        },
        "ghz"_a.noconvert(), "rain_mm_h"_a.noconvert(), "elevation_deg"_a.noconvert(), "tilt_deg"_a.noconvert(),
        "Specific attenuation by rain, dB/km (ITU-R P.838-3).");
    m.def(
        "terrestrial_path_factor",
        [](const Reals& ghz, const Reals& rain, const Reals& km, const Reals& tilt) {
            return each(terrestrial_path_factor, ghz, rain, km, tilt);
        },
        "ghz"_a.noconvert(), "rain001_mm_h"_a.noconvert(), "km"_a.noconvert(), "tilt_deg"_a.noconvert(),
        "Factor of the path's length, at most 2.5 (ITU-R P.530-17).");
    m.def(
        "terrestrial_rain_loss",
        [](const Reals& ghz, const Reals& rain, const Reals& km, const Reals& tilt, const Reals& percent) {
            return each(terrestrial_rain_loss, ghz, rain, km, tilt, percent);
        },
        "ghz"_a.noconvert(), "rain001_mm_h"_a.noconvert(), "km"_a.noconvert(), "tilt_deg"_a.noconvert(),
        "percent"_a.noconvert(), "Loss by rain exceeded in so much of an average year, dB (ITU-R P.530-17).");
    m.def(
        "slant_rain_loss",
        [](const Reals& elevation, const Reals& rain_height, const Reals& station_height, const Reals& latitude,
           const Reals& ghz, const Reals& rain, const Reals& tilt, const Reals& percent) {
            return each([](double el, double hr, double hs, double lat, double f, double r, double t,
                           double p) { return slant_rain_loss({el, hr, hs, lat}, f, r, t, p); },
                        elevation, rain_height, station_height, latitude, ghz, rain, tilt, percent);
        },
        "elevation_deg"_a.noconvert(), "rain_height_km"_a.noconvert(), "station_height_km"_a.noconvert(),
        "latitude_deg"_a.noconvert(), "ghz"_a.noconvert(), "rain001_mm_h"_a.noconvert(), "tilt_deg"_a.noconvert(),
        "percent"_a.noconvert(),
        "Loss by rain on a slant path, exceeded in so much of an average year, dB (P.618-13).");
}

void bind_satellite(py::module_& m) {
    using namespace radio;
    m.def(
        "satellite_sight_probability",
        [](const std::string& ground, const Reals& elevation) {
            const Ground g = ground_of(ground);
            return each([g](double el) { return satellite_sight_probability(g, el); }, elevation);
        },
        "ground"_a, "elevation_deg"_a.noconvert(),
        "Probability of line of sight (TR 38.811 table 6.6.1-1); grounds: dense_urban, urban, rural.");
    m.def(
        "satellite_loss",
        [](const std::string& ground, const Reals& elevation, const Reals& altitude, const Reals& ghz,
           const Bools& in_sight, const Reals& gas) {
            const Ground g = ground_of(ground);
            return each(
                [g](double el, double h, double f, bool s, double a) { return satellite_loss(g, el, h, f, s, a); },
                elevation, altitude, ghz, in_sight, gas);
        },
        "ground"_a, "elevation_deg"_a.noconvert(), "altitude_m"_a.noconvert(), "ghz"_a.noconvert(),
        "in_sight"_a.noconvert(), "zenith_gas_db"_a.noconvert(), "Median path loss, dB (TR 38.811 section 6.6).");
    m.def(
        "satellite_shadowing",
        [](const std::string& ground, const Reals& elevation, const Reals& ghz, const Bools& in_sight) {
            const Ground g = ground_of(ground);
            return each([g](double el, double f, bool s) { return satellite_shadowing(g, el, f, s); }, elevation, ghz,
                        in_sight);
        },
        "ground"_a, "elevation_deg"_a.noconvert(), "ghz"_a.noconvert(), "in_sight"_a.noconvert(),
        "Standard deviation of shadowing, dB (TR 38.811 tables 6.6.2-1 to 6.6.2-3).");
    m.def(
        "slant_range",
        [](const Reals& elevation, const Reals& altitude) { return each(slant_range, elevation, altitude); },
        "elevation_deg"_a.noconvert(), "altitude_m"_a.noconvert(),
        "Distance to a satellite, m; Earth's radius 6371 km.");
    m.def(
        "orbital_speed", [](const Reals& altitude) { return each(orbital_speed, altitude); },
        "altitude_m"_a.noconvert(), "Speed on a circular orbit, m/s.");
}

void bind_antenna(py::module_& m) {
    using namespace radio;
    m.def(
        "sector_gain",
        [](double azimuth, double tilt, const Reals& to_azimuth, const Reals& to_elevation, double width, double peak,
           double depth) {
            const Sector sector{azimuth, tilt, width, peak, depth};
            check(sector);
            return each([&sector](double az, double el) { return sector_gain(sector, az, el); }, to_azimuth,
                        to_elevation);
        },
        "azimuth_deg"_a, "tilt_deg"_a, "to_azimuth_deg"_a.noconvert(), "to_elevation_deg"_a.noconvert(),
        "width_deg"_a = 65.0, "peak_dbi"_a = 8.0, "depth_db"_a = 30.0,
        "Gain of a sector antenna towards directions, dBi (TR 38.901 table 7.3-1); elevations above the horizon.");
    m.def(
        "array_gain",
        [](index_t rows, index_t columns, const Reals& azimuth, const Reals& elevation) {
            return each([=](double az, double el) { return array_gain(rows, columns, az, el); }, azimuth, elevation);
        },
        "rows"_a, "columns"_a, "azimuth_error_deg"_a.noconvert(), "elevation_error_deg"_a.noconvert(),
        "Gain of a half-wavelength array over one element, dB, when it points off its target; -30 dB at least.");
}

}  // namespace

void bind_radio(py::module_& m) {
    bind_terrestrial(m);
    bind_rain(m);
    bind_satellite(m);
    bind_antenna(m);
}

}  // namespace tiertwin::bindings
