// What attributes are worth: scores of windows and of streams, their parts, and the watch for change. Convert, call,
// return.
#include "abstraction/pca.hpp"
#include "abstraction/significance.hpp"
#include "abstraction/worth.hpp"
#include "bindings/arrays.hpp"
#include "bindings/columns.hpp"

namespace tiertwin::bindings {
namespace {

using abstraction::ChangeWatch;
using abstraction::Scores;
using abstraction::Worth;
using abstraction::WorthOptions;
using Shape = std::vector<py::ssize_t>;

void expect_shape(const char* name, const Reals& array, const Shape& shape) {
    const Shape came(array.shape(), array.shape() + array.ndim());
    if (came == shape) return;
    const auto text = [](const Shape& sizes) { return py::str(py::tuple(py::cast(sizes))).cast<std::string>(); };
    throw InvalidArgument(std::string(name) + ": expected shape " + text(shape) + ", got " + text(came));
}

template <typename T>
py::array_t<T> shaped(const std::vector<T>& values, const Shape& shape) {
    return py::array_t<T>(shape, values.data());
}

py::dict dictionary(const Scores& scores, index_t zones, index_t attributes, index_t targets) {
    const Shape own{zones, attributes}, pairs{zones, targets, attributes};
    py::dict result;
    result["value"] = shaped(scores.value, pairs);
    result["relevance"] = shaped(scores.relevance, pairs);
    result["lag"] = shaped(scores.lag, pairs);
    result["gain"] = shaped(scores.gain, pairs);
    result["p_value"] = shaped(scores.p_value, pairs);
    result["entropy"] = shaped(scores.entropy, own);
    result["complexity"] = shaped(scores.complexity, own);
    result["spread"] = shaped(scores.spread, own);
    result["seen"] = shaped(scores.seen, own);
    result["redundancy"] = shaped(scores.redundancy, {zones, attributes, attributes});
    return result;
}

WorthOptions options_of(index_t m, double r, index_t lags, index_t order, index_t least, double level,
                        const std::vector<double>& weights, const std::string& form) {
    WorthOptions options;
    options.template_length = m;
    options.tolerance = r;
    options.lags = lags;
    options.order = order;
    options.least = least;
    options.level = level;
    if (weights.size() != 3)
        throw InvalidArgument("weights: expected three (relevance, causality, complexity), got " +
                              std::to_string(weights.size()));
    options.relevance = weights[0];
    options.causality = weights[1];
    options.complexity = weights[2];
    if (form != "quotient" && form != "difference")
        throw InvalidArgument("form: expected 'quotient' or 'difference', got '" + form + "'");
    options.form = form == "quotient" ? abstraction::Form::quotient : abstraction::Form::difference;
    return options;
}

const std::vector<double> kWeights{1.0, 1.0, 0.5};

Reals entropies(const Reals& series, index_t m, double r) {
    if (series.ndim() != 2)
        throw InvalidArgument("series: expected shape (series, samples), got " + std::to_string(series.ndim()) +
                              " dimensions");
    const auto count = static_cast<std::size_t>(series.shape(0)), length = static_cast<std::size_t>(series.shape(1));
    if (static_cast<index_t>(length) > abstraction::kMostWindow)
        throw InvalidArgument("series: expected at most " + std::to_string(abstraction::kMostWindow) +
                              " samples, got " + std::to_string(length));
    auto result = empty<double>(static_cast<index_t>(count));
    std::vector<std::int32_t> order;
    for (std::size_t s = 0; s < count; ++s) {
        const auto values = view(series).subspan(s * length, length);
        abstraction::order_of(values, order);
        result.mutable_data()[s] = abstraction::sample_entropy({values, order}, m, r);
    }
    return result;
}

void bind_parts(py::module_& m) {
    m.def("sample_entropy", &entropies, "series"_a.noconvert(), "m"_a = 2, "r"_a = 0.2,
          "Sample entropy of each row (r in standard deviations; NaN: not seen), capped where nothing matches.");
    m.def("incomplete_beta", &abstraction::incomplete_beta, "a"_a, "b"_a, "x"_a, "Regularised, I_x(a, b).");
    m.def("f_tail", &abstraction::f_tail, "f"_a, "d1"_a, "d2"_a, "P(F > f) with d1 and d2 degrees of freedom.");
    m.def(
        "adjust_p_values",
        [](const Reals& p) {
            auto result = fresh(vector_in(p, "p"));
            abstraction::adjust_p_values(whole(result));
            return result;
        },
        "p"_a.noconvert(), "Benjamini-Hochberg; NaN: no test.");
}

void bind_change(py::module_& m) {
    py::class_<ChangeWatch>(m, "ChangeWatch", "Residuals of zones beside the leading components of their past.")
        .def(py::init(
                 [](index_t zones, index_t attributes, index_t window, double share, double quantile, index_t every,
                    index_t delay) { return ChangeWatch(zones, attributes, window, {share, quantile, every, delay}); }),
             "zones"_a, "attributes"_a, "window"_a, py::kw_only(), "share"_a = 0.9, "quantile"_a = 0.99, "every"_a = 10,
             "delay"_a = 0)
        .def(
            "__deepcopy__", [](const ChangeWatch& self, const py::dict&) { return ChangeWatch(self); }, "memo"_a)
        .def_property_readonly("zones", &ChangeWatch::zones)
        .def_property_readonly("attributes", &ChangeWatch::attributes)
        .def("components", &ChangeWatch::components, "zone"_a, "Components of the model in force; 0: none yet.")
        .def(
            "push",
            [](ChangeWatch& self, const Reals& values) {
                expect_shape("values", values, {self.zones(), self.attributes()});
                auto residual = empty<double>(self.zones()), threshold = empty<double>(self.zones());
                self.push(view(values), whole(residual), whole(threshold));
                return py::make_tuple(residual, threshold);
            },
            "values"_a.noconvert(), "One sample (zones, attributes); returns the residual and threshold of each zone.");
}

}  // namespace

void bind_worth(py::module_& m) {
    bind_parts(m);
    bind_change(m);
    py::class_<Worth>(m, "Worth", "The last samples of zones' attributes and targets, and what the former are worth.")
        .def(py::init([](index_t zones, index_t attributes, index_t targets, index_t window, bool sliding,
                         index_t template_length, double r, index_t lags, index_t order, index_t least, double level,
                         const std::vector<double>& weights, const std::string& form) {
                 const auto options = options_of(template_length, r, lags, order, least, level, weights, form);
                 return Worth(zones, attributes, targets, window, options, sliding);
             }),
             "zones"_a, "attributes"_a, "targets"_a, "window"_a, py::kw_only(), "sliding"_a = false, "m"_a = 2,
             "r"_a = 0.2, "lags"_a = 5, "order"_a = 3, "least"_a = 16, "level"_a = 0.01, "weights"_a = kWeights,
             "form"_a = "quotient")
        .def(
            "__deepcopy__", [](const Worth& self, const py::dict&) { return Worth(self); }, "memo"_a)
        .def_property_readonly("zones", &Worth::zones)
        .def_property_readonly("attributes", &Worth::attributes)
        .def_property_readonly("targets", &Worth::targets)
        .def_property_readonly("window", [](const Worth& self) { return self.attribute_series().window(); })
        .def_property_readonly("length", [](const Worth& self) { return self.attribute_series().length(); })
        .def(
            "push",
            [](Worth& self, const Reals& values, const Reals& targets) {
                expect_shape("values", values, {self.zones(), self.attributes()});
                expect_shape("targets", targets, {self.zones(), self.targets()});
                self.push(view(values), view(targets));  // 0.1-1 us a series: keeps the GIL
            },
            "values"_a.noconvert(), "targets"_a.noconvert(), "One sample of all zones; NaN: not seen.")
        .def(
            "score",
            [](const Worth& self, const std::optional<Ints>& zones) {
                std::vector<index_t> chosen;
                if (zones) {
                    chosen = copied(*zones);
                } else {
                    for (index_t zone = 0; zone < self.zones(); ++zone) chosen.push_back(zone);
                }
                // the object belongs to this thread and may not change below: keeps the GIL
                const Scores scores = self.score(chosen);
                return dictionary(scores, static_cast<index_t>(chosen.size()), self.attributes(), self.targets());
            },
            "zones"_a.noconvert() = py::none(), "Scores of these zones, or of all.");
    m.def(
        "score_windows",
        [](const Reals& values, const Reals& targets, index_t template_length, double r, index_t lags, index_t order,
           index_t least, double level, const std::vector<double>& weights, const std::string& form) {
            const auto options = options_of(template_length, r, lags, order, least, level, weights, form);
            if (values.ndim() != 3 || targets.ndim() != 3)
                throw InvalidArgument(
                    "expected values (zones, attributes, samples) and targets (zones, targets, "
                    "samples), got " +
                    std::to_string(values.ndim()) + " and " + std::to_string(targets.ndim()) + " dimensions");
            const index_t zones = values.shape(0), attributes = values.shape(1), samples = values.shape(2);
            expect_shape("targets", targets, {zones, targets.shape(1), samples});
            const auto x = copied(values), y = copied(targets);
            Scores scores;
            {
                const py::gil_scoped_release free;  // 1 ms a zone and more, on copies
                scores = abstraction::score_windows(zones, attributes, targets.shape(1), samples, x, y, options);
            }
            return dictionary(scores, zones, attributes, targets.shape(1));
        },
        "values"_a.noconvert(), "targets"_a.noconvert(), py::kw_only(), "m"_a = 2, "r"_a = 0.2, "lags"_a = 5,
        "order"_a = 3, "least"_a = 16, "level"_a = 0.01, "weights"_a = kWeights, "form"_a = "quotient",
        "Scores of whole windows of many zones at once.");
}

}  // namespace tiertwin::bindings
