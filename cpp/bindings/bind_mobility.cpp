// Where users are. Convert, call, return.
#include "bindings/common.hpp"
#include "bindings/rules.hpp"
#include "plant/mobility.hpp"

namespace tiertwin::bindings {
namespace {

using plant::Mobility;
using plant::MobilityRules;
using plant::Place;

template <typename Get>
py::array_t<double> places(const Mobility& mobility, Get get) {
    py::array_t<double> out({static_cast<py::ssize_t>(mobility.users()), py::ssize_t{3}});
    double* to = out.mutable_data();
    for (index_t user = 0; user < mobility.users(); ++user) {
        const Place p = get(user);
        *to++ = p.x;
        *to++ = p.y;
        *to++ = p.z;
    }
    return out;
}

double number(const py::handle& value, const std::string& name) {
    try {
        return value.cast<double>();
    } catch (const py::cast_error&) {
        throw py::type_error("mobility: expected a number for '" + name + "'");
    }
}

}  // namespace

MobilityRules mobility_rules(const py::dict& given, const std::vector<std::array<double, 3>>& track) {
    MobilityRules r;
    const std::map<std::string, double*> known{{"width_m", &r.width},
                                               {"height_m", &r.height},
                                               {"user_z_m", &r.user_z},
                                               {"mean_speed", &r.mean_speed},
                                               {"sigma_speed", &r.sigma_speed},
                                               {"sigma_heading", &r.sigma_heading},
                                               {"memory", &r.memory},
                                               {"low_speed", &r.low_speed},
                                               {"high_speed", &r.high_speed},
                                               {"pause_s", &r.pause},
                                               {"street_low", &r.street_low},
                                               {"street_high", &r.street_high},
                                               {"block_m", &r.block},
                                               {"train_low", &r.train_low},
                                               {"train_high", &r.train_high},
                                               {"uav_low", &r.uav_low},
                                               {"uav_high", &r.uav_high},
                                               {"uav_floor_m", &r.uav_floor},
                                               {"uav_ceiling_m", &r.uav_ceiling}};
    for (const auto& [key, value] : given) {
        const auto name = key.cast<std::string>();
        const auto found = known.find(name);
        if (found == known.end()) {
            std::string names;
            for (const auto& [other, field] : known) names += (names.empty() ? "" : ", ") + other;
            throw py::type_error("mobility: there is no rule '" + name + "'; there are " + names);
        }
        *found->second = number(value, name);
    }
    for (const auto& p : track) r.track.push_back({p[0], p[1], p[2]});
    return r;
}

void bind_mobility(py::module_& m) {
    py::class_<Mobility>(m, "Mobility",
                         "Users that move: 0 still, 1 Gauss-Markov, 2 waypoint, 3 Manhattan, 4 train, 5 UAV.")
        .def(py::init([](std::uint64_t seed, const array_in<std::uint8_t>& walks, const array_in<std::uint32_t>& train,
                         const std::vector<std::array<double, 3>>& track, const py::dict& rules) {
                 return Mobility(seed, view(walks), view(train), mobility_rules(rules, track));
             }),
             "seed"_a, "walks"_a.noconvert(), "train"_a.noconvert(), "track"_a = std::vector<std::array<double, 3>>{},
             "rules"_a = py::dict())
        .def("step", &Mobility::step, "seconds"_a, "Move everybody on.")
        .def(
            "positions",
            [](const Mobility& self) { return places(self, [&](index_t user) { return self.place(user); }); },
            "f64[users, 3], m.")
        .def(
            "velocities",
            [](const Mobility& self) { return places(self, [&](index_t user) { return self.velocity(user); }); },
            "f64[users, 3], m/s.")
        .def_property_readonly("time_s", &Mobility::time);
}

}  // namespace tiertwin::bindings
