// Watches of streams and of alarms. Convert, call, return; all keep the GIL: a call is one row, or some of them.
#include "assure/changes.hpp"
#include "assure/incidents.hpp"
#include "assure/shift.hpp"
#include "assure/stream.hpp"
#include "assure/subspace.hpp"
#include "bindings/arrays.hpp"

namespace tiertwin::bindings {
namespace {

using namespace assure;

std::vector<py::ssize_t> rows_of(const Reals& values, index_t width) {
    if (values.ndim() != 2 || values.shape(1) != width)
        throw InvalidArgument("values: expected shape (rows, " + std::to_string(width) + "), got " +
                              py::str(values.attr("shape")).cast<std::string>());
    return {values.shape(0), values.shape(1)};
}

void bind_stream(py::module_& m) {
    py::class_<ProfileOptions>(m, "ProfileOptions")
        .def(py::init([](double period_s, index_t slots, double gain, index_t visits, bool value, bool mean) {
                 return ProfileOptions{period_s, gain, slots, visits, value, mean};
             }),
             py::kw_only(), "period_s"_a, "slots"_a, "gain"_a, "visits"_a, "value"_a, "mean"_a);
    py::class_<StreamWatch>(m, "StreamWatch")
        .def(py::init([](index_t series, const std::vector<double>& gains, const std::vector<ProfileOptions>& profiles,
                         double short_gain, double scale_gain, const std::vector<double>& tail,
                         const std::vector<index_t>& pattern, double level, double cap, index_t warm,
                         const std::vector<double>& recur, index_t recur_slots, index_t hold, index_t gap, double least,
                         double again) {
                 if (tail.size() != 4 || recur.size() != 3 || pattern.size() != 4)
                     throw InvalidArgument("tail, recur, pattern: expected 4, 3 and 4 numbers, got " +
                                           std::to_string(tail.size()) + ", " + std::to_string(recur.size()) + " and " +
                                           std::to_string(pattern.size()));
                 StreamOptions options{gains, profiles, short_gain, scale_gain, {}, {}, warm};
                 options.pattern = {pattern[0], pattern[1], pattern[2], pattern[3], level, cap};
                 options.tail = {tail[0], tail[1], tail[2], tail[3]};
                 options.recur = recur[0];
                 options.keep = recur[1];
                 options.recur_period_s = recur[2];
                 options.recur_slots = recur_slots;
                 options.hold = hold;
                 options.gap = gap;
                 options.least = least;
                 options.again = again;
                 return StreamWatch(series, options);
             }),
             "series"_a, py::kw_only(), "gains"_a, "profiles"_a, "short_gain"_a, "scale_gain"_a, "tail"_a, "pattern"_a,
             "level"_a, "cap"_a, "warm"_a, "recur"_a, "recur_slots"_a, "hold"_a, "gap"_a, "least"_a, "again"_a)
        .def(
            "push",
            [](StreamWatch& watch, const Reals& values, const Reals& times_s) {
                const auto shape = rows_of(values, watch.series());
                py::array_t<double> score(shape), alarm(shape);
                watch.push(view(values), vector_in(times_s, "times_s"), out(score), out(alarm));
                return py::make_tuple(score, alarm);
            },
            "values"_a.noconvert(), "times_s"_a.noconvert(), "Score and alarm of rows × series.")
        .def_property_readonly("series", &StreamWatch::series)
        .def("memory_bytes", &StreamWatch::memory_bytes);
}

void bind_levels(py::module_& m) {
    py::class_<ShiftWatch>(m, "ShiftWatch")
        .def(py::init([](index_t attributes, index_t clean, index_t mean, double gain, double quantile, double factor) {
                 return ShiftWatch(attributes, {clean, mean, gain, quantile, factor});
             }),
             "attributes"_a, py::kw_only(), "clean"_a, "mean"_a, "gain"_a, "quantile"_a, "factor"_a)
        .def(
            "push",
            [](ShiftWatch& watch, const Reals& values) {
                py::array_t<double> z(rows_of(values, watch.attributes()));
                watch.push(view(values), out(z));
                return z;
            },
            "values"_a.noconvert(), "z of rows × attributes.")
        .def("limit", &ShiftWatch::limit, "attribute"_a)
        .def_property_readonly("attributes", &ShiftWatch::attributes)
        .def("memory_bytes", &ShiftWatch::memory_bytes);
    py::class_<SubspaceWatch>(m, "SubspaceWatch")
        .def(py::init([](index_t attributes, index_t clean, index_t mean, double share, double quantile) {
                 return SubspaceWatch(attributes, {clean, mean, share, quantile});
             }),
             "attributes"_a, py::kw_only(), "clean"_a, "mean"_a, "share"_a, "quantile"_a)
        .def(
            "push",
            [](SubspaceWatch& watch, const Reals& values) {
                const auto rows = rows_of(values, watch.attributes())[0];
                auto t2 = empty<double>(rows), q = empty<double>(rows);
                watch.push(view(values), out(t2), out(q));
                return py::make_tuple(t2, q);
            },
            "values"_a.noconvert(), "T² and Q over their limits, one a row.")
        .def_property_readonly("attributes", &SubspaceWatch::attributes)
        .def_property_readonly("components", &SubspaceWatch::components)
        .def("memory_bytes", &SubspaceWatch::memory_bytes);
    py::class_<ChangePoints>(m, "ChangePoints")
        .def(py::init([](index_t series, double expected, index_t most, index_t warm, index_t delay) {
                 return ChangePoints(series, {expected, most, warm, delay});
             }),
             "series"_a, py::kw_only(), "expected"_a, "most"_a, "warm"_a, "delay"_a)
        .def(
            "push",
            [](ChangePoints& watch, const Reals& values) {
                const auto shape = rows_of(values, watch.series());
                py::array_t<double> recent(shape);
                py::array_t<index_t> length(shape);
                watch.push(view(values), out(recent), out(length));
                return py::make_tuple(recent, length);
            },
            "values"_a.noconvert(), "P(change within the last `delay` values) and most probable run length.")
        .def_property_readonly("series", &ChangePoints::series)
        .def("memory_bytes", &ChangePoints::memory_bytes);
}

py::dict columns(const std::vector<AlarmRecord>& alarms) {
    py::dict result;
    const auto column = [&](const char* name, auto of) {
        auto array = empty<index_t>(static_cast<index_t>(alarms.size()));
        std::ranges::transform(alarms, array.mutable_data(), of);
        result[name] = array;
    };
    column("number", [](const AlarmRecord& a) { return a.number; });
    column("incident", [](const AlarmRecord& a) { return a.incident; });
    column("object", [](const AlarmRecord& a) { return a.object; });
    column("cause", [](const AlarmRecord& a) { return a.cause; });
    column("severity", [](const AlarmRecord& a) { return a.severity; });
    column("raised_ns", [](const AlarmRecord& a) { return a.raised; });
    column("changed_ns", [](const AlarmRecord& a) { return a.changed; });
    column("cleared_ns", [](const AlarmRecord& a) { return a.cleared; });
    column("events", [](const AlarmRecord& a) { return a.events; });
    column("root", [](const AlarmRecord& a) { return static_cast<index_t>(a.root); });
    column("left", [](const AlarmRecord& a) { return static_cast<index_t>(a.left); });
    return result;
}

py::dict totals(const IncidentTotals& t) {
    return py::dict("events"_a = t.events, "alarms"_a = t.alarms, "repeats"_a = t.repeats, "clears"_a = t.clears,
                    "strays"_a = t.strays, "incidents"_a = t.incidents, "merged"_a = t.merged, "closed"_a = t.closed,
                    "dropped"_a = t.dropped, "open"_a = t.open, "raised"_a = t.raised);
}

void bind_incidents(py::module_& m) {
    py::class_<IncidentLog>(m, "IncidentLog")
        .def(py::init([](index_t objects, index_t causes, const Ints& start, const Ints& related, index_t window_ns,
                         index_t keep) {
                 return IncidentLog(objects, causes, vector_in(start, "start"), vector_in(related, "related"),
                                    {window_ns, keep});
             }),
             "objects"_a, "causes"_a, "start"_a.noconvert(), "related"_a.noconvert(), py::kw_only(), "window_ns"_a,
             "keep"_a)
        .def(
            "push",
            [](IncidentLog& log, const Ints& time_ns, const Ints& object, const Ints& cause, const Ints& severity) {
                log.push({vector_in(time_ns, "time_ns"), vector_in(object, "object"), vector_in(cause, "cause"),
                          vector_in(severity, "severity")});
            },
            "time_ns"_a.noconvert(), "object"_a.noconvert(), "cause"_a.noconvert(), "severity"_a.noconvert(),
            "Take events in order of time; severity 0 clears.")
        .def("advance", &IncidentLog::advance, "now_ns"_a, "Close what has been quiet by now.")
        .def(
            "open", [](const IncidentLog& log) { return columns(log.open()); }, "Alarms of the open incidents.")
        .def(
            "take", [](IncidentLog& log) { return columns(log.take()); }, "Alarms of incidents closed since.")
        .def("totals", [](const IncidentLog& log) { return totals(log.totals()); })
        .def("memory_bytes", &IncidentLog::memory_bytes);
}

}  // namespace

void bind_assure(py::module_& m) {
    bind_stream(m);
    bind_levels(m);
    bind_incidents(m);
}

}  // namespace tiertwin::bindings
