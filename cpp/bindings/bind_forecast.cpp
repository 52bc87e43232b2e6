// Forecasts and trends: many series in arrays of shape [series, time]. Convert, call, return.
#include "bindings/arrays.hpp"
#include "forecast/conformal.hpp"
#include "forecast/growing.hpp"
#include "forecast/smoothing.hpp"
#include "forecast/trends.hpp"

namespace tiertwin::bindings {
namespace {

using forecast::DoubleSeason;
using forecast::GrowingFactor;
using forecast::ScoreBook;

void two_dimensions(const Reals& array, const char* name) {
    if (array.ndim() != 2)
        throw InvalidArgument(std::string(name) + ": expected two dimensions, got " + std::to_string(array.ndim()));
}

py::array_t<double> table_of(py::ssize_t rows, py::ssize_t columns) {
    return py::array_t<double>(std::vector<py::ssize_t>{rows, columns});
}

void bind_growing(py::module_& m) {
    py::class_<GrowingFactor>(m, "GrowingFactor", "A Gaussian process in time over many series, a sample at a time.")
        .def(py::init([](index_t series, const Reals& same, const Reals& other, double noise) {
                 return GrowingFactor(series, vector_in(same, "same"), vector_in(other, "other"), noise);
             }),
             "series"_a, "same"_a.noconvert(), "other"_a.noconvert(), "noise"_a)
        .def(
            "append",
            [](GrowingFactor& self, index_t slot, index_t kind, const Reals& values) {
                self.append(slot, kind, vector_in(values, "values"));
            },
            "slot"_a, "kind"_a, "values"_a.noconvert(), "Take one sample of all series.")
        .def(
            "ahead",
            [](const GrowingFactor& self, const Ints& slots, const Ints& kinds) {
                const auto at = vector_in(slots, "slots");
                auto mean = table_of(slots.size(), self.series());
                auto variance = empty<double>(slots.size());
                self.ahead(at, vector_in(kinds, "kinds"), out(mean), out(variance));
                return py::make_tuple(mean, variance);
            },
            "slots"_a.noconvert(), "kinds"_a.noconvert(), "Mean [slots, series] and variance [slots].")
        .def_property_readonly("samples", &GrowingFactor::samples);
}

void bind_smoothing(py::module_& m) {
    py::class_<DoubleSeason>(m, "DoubleSeason", "Exponential smoothing with a daily and a weekly cycle, many series.")
        .def(py::init<index_t, index_t, index_t>(), "series"_a, "day"_a, "week"_a)
        .def(
            "follow",
            [](DoubleSeason& self, const Reals& history, const Reals& gains) {
                two_dimensions(history, "history");
                auto square = empty<double>(self.series());
                self.follow(view(history), history.shape(1), view(gains), out(square));
                return square;
            },
            "history"_a.noconvert(), "gains"_a.noconvert(), "Begin anew; mean square of one-step errors [series].")
        .def(
            "update", [](DoubleSeason& self, const Reals& values) { self.update(vector_in(values, "values")); },
            "values"_a.noconvert())
        .def(
            "ahead",
            [](const DoubleSeason& self, index_t steps) {
                auto mean = table_of(self.series(), std::max<index_t>(steps, 0));
                self.ahead(steps, out(mean));
                return mean;
            },
            "steps"_a, "Forecasts [series, steps].");
}

void bind_scores(py::module_& m) {
    py::class_<ScoreBook>(m, "ScoreBook", "Weighted conformal bounds of a series from what forecasts missed.")
        .def(py::init<index_t, index_t, double, double, double, double>(), "series"_a, "memory"_a, "level"_a,
             "decay"_a = 1.0, "gain"_a = 0.0, "shared"_a = 0.0)
        .def(
            "push", [](ScoreBook& self, const Reals& scores) { self.push(vector_in(scores, "scores")); },
            "scores"_a.noconvert())
        .def(
            "bounds",
            [](const ScoreBook& self) {
                auto lower = empty<double>(self.series()), upper = empty<double>(self.series());
                self.bounds(out(lower), out(upper));
                return py::make_tuple(lower, upper);
            },
            "Lower and upper score, each [series].")
        .def_property_readonly("miss_rate", [](const ScoreBook& self) { return fresh(self.miss_rate()); });
}

}  // namespace

void bind_forecast(py::module_& m) {
    bind_growing(m);
    bind_smoothing(m);
    bind_scores(m);
    m.def(
        "trends",
        [](const Reals& values, const Ints& ptr, const std::vector<double>& taus, index_t window, index_t first) {
            two_dimensions(values, "values");
            const forecast::TrendOptions options{taus, window, first};
            auto rows = table_of(values.shape(0), values.shape(1) * static_cast<py::ssize_t>(taus.size() + 2));
            forecast::trends(view(values), values.shape(1), vector_in(ptr, "ptr"), options, out(rows));
            return rows;
        },
        "values"_a.noconvert(), "ptr"_a.noconvert(), "taus"_a, "window"_a, "first"_a,
        "Levels, slopes and beginnings of runs at every cycle.");
    m.def(
        "isotonic",
        [](const Reals& values, const Reals& weights, double least) {
            auto fitted = fresh(vector_in(values, "values"));
            forecast::isotonic(out(fitted), vector_in(weights, "weights"), least);
            return fitted;
        },
        "values"_a.noconvert(), "weights"_a.noconvert(), "least"_a = 0.0, "The nearest non-decreasing sequence.");
}

}  // namespace tiertwin::bindings
