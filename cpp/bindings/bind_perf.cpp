// The performance model of packets: dictionaries of arrays in and out. Convert, call, return.
#include <string>

#include "bindings/common.hpp"
#include "bindings/each.hpp"
#include "bindings/fields.hpp"
#include "perf/calibrate.hpp"
#include "perf/model.hpp"
#include "perf/tail.hpp"

namespace tiertwin::bindings {
namespace {

using perf::Coefficients;
using perf::LinkBelief;
using perf::Model;
using perf::Prediction;
using perf::Traffic;
using Reals = array_in<double>;
using Ints = array_in<std::int64_t>;

template <typename T>
std::vector<T> copy(const array_in<T>& array) {
    return {view(array).begin(), view(array).end()};
}

Traffic traffic_of(const py::dict& source) {
    Traffic t;
    Fields fields("PerformanceModel", source);
    for (const auto& [name, into] : {std::pair{"link_rate_bps", &t.link_rate_bps},
                                     {"link_delay_ns", &t.link_delay_ns},
                                     {"link_idle_w", &t.link_idle_w},
                                     {"link_full_w", &t.link_full_w},
                                     {"flow_pps", &t.flow_pps},
                                     {"flow_size", &t.flow_size},
                                     {"flow_size2", &t.flow_size2},
                                     {"flow_size3", &t.flow_size3},
                                     {"flow_smallest", &t.flow_smallest},
                                     {"flow_largest", &t.flow_largest},
                                     {"flow_ca2", &t.flow_ca2},
                                     {"flow_burst_s", &t.flow_burst_s}})
        fields.array(name, *into);
    for (const auto& [name, into] :
         {std::pair{"link_buffer", &t.link_buffer}, {"link_kind", &t.link_kind}, {"flow_class", &t.flow_class}})
        fields.array(name, *into);
    fields.finish();
    return t;
}

perf::Window window_of(const py::dict& source) {
    perf::Window w;
    Fields fields("PerformanceModel.calibrate", source);
    fields.number("seconds", w.seconds);
    for (const auto& [name, into] : {std::pair{"flow_delay", &w.flow_delay},
                                     {"flow_packets", &w.flow_packets},
                                     {"link_wait", &w.link_wait},
                                     {"link_packets", &w.link_packets}})
        fields.array(name, *into);
    fields.finish();
    return w;
}

py::dict arrays_of(const Prediction& p) {
    py::dict out;
    for (const auto& [name, values] : {std::pair{"mean", &p.mean},
                                       {"wait", &p.wait},
                                       {"sd", &p.sd},
                                       {"p95", &p.p95},
                                       {"p99", &p.p99},
                                       {"loss", &p.loss},
                                       {"throughput", &p.throughput},
                                       {"mean_low", &p.mean_low},
                                       {"mean_high", &p.mean_high},
                                       {"p99_low", &p.p99_low},
                                       {"p99_high", &p.p99_high},
                                       {"loss_low", &p.loss_low},
                                       {"loss_high", &p.loss_high},
                                       {"utilisation", &p.utilisation},
                                       {"link_wait", &p.link_wait},
                                       {"link_loss", &p.link_loss},
                                       {"power", &p.power},
                                       {"memory", &p.memory},
                                       {"hop_wait", &p.hop_wait}})
        out[name] = fresh<double>(*values);
    py::array_t<bool> low(static_cast<py::ssize_t>(p.low_confidence.size()));
    std::transform(p.low_confidence.begin(), p.low_confidence.end(), low.mutable_data(),
                   [](std::uint8_t flag) { return flag != 0; });
    out["low_confidence"] = low;
    return out;
}

double checked_gamma_quantile(double shape, double q) {
    if (!(shape >= 1e-2 && shape <= 1e12))
        throw InvalidArgument("shape is " + std::to_string(shape) + "; expected a number from 0.01 to 1e12");
    if (!(q > 0 && q < 1)) throw InvalidArgument("q is " + std::to_string(q) + "; expected a number between 0 and 1");
    return perf::gamma_quantile(shape, q);
}

}  // namespace

void bind_perf(py::module_& m) {
    m.def(
        "gamma_quantile", [](const Reals& shape, const Reals& q) { return each(checked_gamma_quantile, shape, q); },
        "shape"_a.noconvert(), "q"_a.noconvert(), "Quantiles of gamma laws of these shapes and of scale 1.");
    m.def(
        "perf_coefficients",
        [] {
            const auto values = Coefficients{}.values();
            return fresh<double>(values);
        },
        "Fitted coefficients of the performance model, in the order of cpp/perf/config.hpp.");
    py::class_<Model>(m, "PerformanceModel", "Delays, tails and losses of packets over given paths; immutable.")
        .def(py::init([](std::int64_t links, const Ints& ptr, const Ints& path_links) {
                 return Model(perf::Paths{links, copy(ptr), copy(path_links)});
             }),
             "links"_a, "path_ptr"_a.noconvert(), "path_links"_a.noconvert(), "Paths of all flows; raises ValueError.")
        // A network of 1000 flows is 2 ms of work: keeps the GIL (no other thread waits for it in a twin).
        .def(
            "predict",
            [](const Model& model, const py::dict& traffic, const Reals& coefficients, const Reals& log_factor,
               const Reals& variance, double z) {
                return arrays_of(model.predict(traffic_of(traffic), Coefficients::from(copy(coefficients)),
                                               LinkBelief{copy(log_factor), copy(variance)}, z));
            },
            "traffic"_a, "coefficients"_a.noconvert(), "log_factor"_a.noconvert(), "variance"_a.noconvert(), "z"_a,
            "One evaluation of the network: arrays by flow, link and hop.")
        .def(
            "calibrate",
            [](const Model& model, const py::dict& traffic, const Reals& coefficients, const Reals& log_factor,
               const Reals& variance, const py::dict& window, double forget, double prior) {
                LinkBelief belief{copy(log_factor), copy(variance)};
                const Prediction predicted =
                    model.predict(traffic_of(traffic), Coefficients::from(copy(coefficients)), belief, 0);
                perf::calibrate(model.streams(), predicted, window_of(window), {forget, prior}, belief);
                return py::make_tuple(fresh<double>(belief.log_factor), fresh<double>(belief.variance));
            },
            "traffic"_a, "coefficients"_a.noconvert(), "log_factor"_a.noconvert(), "variance"_a.noconvert(), "window"_a,
            "forget"_a, "prior"_a, "The state (log_factor, variance) after a window of telemetry.");
}

}  // namespace tiertwin::bindings
