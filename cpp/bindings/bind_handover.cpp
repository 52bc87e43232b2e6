// Handover of many users: one call a sample.
#include "bindings/common.hpp"
#include "radio/handover.hpp"

namespace tiertwin::bindings {
namespace {

using radio::HandoverRules;
using radio::HandoverTracker;
using radio::MoveEvent;

template <typename T, typename Get>
py::array_t<T> field(const std::vector<MoveEvent>& events, Get get) {
    py::array_t<T> out(static_cast<py::ssize_t>(events.size()));
    T* to = out.mutable_data();
    for (const MoveEvent& event : events) *to++ = get(event);
    return out;
}

py::dict as_arrays(const std::vector<MoveEvent>& events) {
    py::dict out;
    out["user"] = field<std::uint32_t>(events, [](const MoveEvent& e) { return e.user; });
    out["move"] = field<std::uint8_t>(events, [](const MoveEvent& e) { return static_cast<std::uint8_t>(e.move); });
    out["from"] = field<std::int32_t>(events, [](const MoveEvent& e) { return e.from; });
    out["to"] = field<std::int32_t>(events, [](const MoveEvent& e) { return e.to; });
    out["ping_pong"] = field<bool>(events, [](const MoveEvent& e) { return e.ping_pong; });
    return out;
}

}  // namespace

void bind_handover(py::module_& m) {
    py::class_<HandoverTracker>(m, "HandoverTracker",
                                "Which cell serves each user (TS 38.331 event A3, TR 36.839 failures and ping-pongs).")
        .def(py::init([](index_t users, index_t slots, double hysteresis, double offset, double trigger,
                         double filter_k, double out, double in, double t310, double ping_pong) {
                 return HandoverTracker(users, slots,
                                        HandoverRules{hysteresis, offset, trigger, filter_k, out, in, t310, ping_pong});
             }),
             "users"_a, "slots"_a, py::kw_only(), "hysteresis_db"_a = 3.0, "offset_db"_a = 0.0, "trigger_ms"_a = 256.0,
             "filter_k"_a = 4.0, "out_db"_a = -8.0, "in_db"_a = -6.0, "t310_ms"_a = 1000.0, "ping_pong_ms"_a = 1000.0)
        .def(
            "step",
            [](HandoverTracker& self, double time_ms, const array_in<std::int32_t>& cells, const array_in<double>& rsrp,
               const array_in<double>& sinr) {
                return as_arrays(self.step(time_ms, view(cells), view(rsrp), view(sinr)));
            },
            "time_ms"_a, "cells"_a.noconvert(), "rsrp_dbm"_a.noconvert(), "sinr_db"_a.noconvert(),
            "One sample: cells i32[users, slots] (-1: none) with their levels, SINR of each serving cell f64[users]; "
            "returns "
            "what moved: user, move (1 attach, 2 handover, 3 failure), from, to, ping_pong.")
        .def(
            "serving", [](const HandoverTracker& self) { return fresh(self.serving()); },
            "Serving cell of each user, i32[users]; -1: none.")
        .def_property_readonly("time_ms", &HandoverTracker::time);
}

}  // namespace tiertwin::bindings
