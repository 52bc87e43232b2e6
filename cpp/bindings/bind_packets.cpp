// Networks of packets: a dictionary of arrays in, books as fresh arrays out. Convert, call, return.
#include <cmath>
#include <string>

#include "base/error.hpp"
#include "bindings/common.hpp"
#include "bindings/fields.hpp"
#include "plant/packet_network.hpp"

namespace tiertwin::bindings {
namespace {

using plant::PacketConfig;
using plant::PacketCount;
using plant::PacketLink;
using plant::PacketNetwork;
using plant::PacketRecord;

PacketConfig read(std::uint64_t seed, const py::dict& source) {
    PacketConfig c;
    c.seed = seed;
    Fields fields("PacketNetwork", source);
    for (const auto& [name, into] : {std::pair{"link_rate_bps", &c.link_rate_bps},
                                     {"link_delay_ns", &c.link_delay_ns},
                                     {"link_buffer", &c.link_buffer},
                                     {"link_tail", &c.link_tail},
                                     {"link_head", &c.link_head},
                                     {"path_ptr", &c.path_ptr},
                                     {"path_links", &c.path_links},
                                     {"flow_key", &c.flow_key},
                                     {"flow_arrival", &c.flow_arrival},
                                     {"flow_phase_ns", &c.flow_phase_ns},
                                     {"flow_size", &c.flow_size},
                                     {"flow_bytes", &c.flow_bytes},
                                     {"trace_time_ns", &c.trace_time_ns},
                                     {"trace_flow", &c.trace_flow},
                                     {"trace_bytes", &c.trace_bytes}}) {
        fields.array(name, *into);
    }
    for (const auto& [name, into] :
         {std::pair{"flow_pps", &c.flow_pps}, {"flow_on_s", &c.flow_on_s}, {"flow_off_s", &c.flow_off_s}}) {
        fields.array(name, *into);
    }
    fields.integer("warm_up_ns", c.warm_up_ns);
    fields.integer("stop_ns", c.stop_ns);
    fields.integer("most_packets", c.most_packets);
    fields.flag("record", c.record);
    fields.finish();
    return c;
}

template <typename T, typename Row, typename Get>
py::array_t<T> column(std::span<const Row> rows, Get get) {
    py::array_t<T> out(static_cast<py::ssize_t>(rows.size()));
    std::transform(rows.begin(), rows.end(), out.mutable_data(), get);
    return out;
}

py::dict flows_of(const PacketNetwork& network) {
    using Count = std::int64_t;
    const auto flows = network.flows();
    return py::dict("sent"_a = column<Count>(flows, [](const PacketCount& c) { return c.sent; }),
                    "received"_a = column<Count>(flows, [](const PacketCount& c) { return c.received; }),
                    "lost"_a = column<Count>(flows, [](const PacketCount& c) { return c.lost; }),
                    "delay_ns"_a = column<Count>(flows, [](const PacketCount& c) { return c.delay; }),
                    "longest_ns"_a = column<Count>(flows, [](const PacketCount& c) { return c.longest; }),
                    "squares_ns2"_a = column<double>(flows, [](const PacketCount& c) { return c.squares; }),
                    "bytes"_a = column<Count>(flows, [](const PacketCount& c) { return c.bytes; }));
}

py::dict links_of(const PacketNetwork& network) {
    using Count = std::int64_t;
    const auto links = network.links();
    const Time now = network.now();
    return py::dict("busy_ns"_a = column<Count>(links, [now](const PacketLink& l) { return l.busy(now); }),
                    "sent"_a = column<Count>(links, [](const PacketLink& l) { return l.sent(); }),
                    "dropped"_a = column<Count>(links, [](const PacketLink& l) { return l.dropped(); }),
                    "peak"_a = column<Count>(links, [](const PacketLink& l) { return l.peak(); }),
                    "waiting"_a = column<Count>(links, [](const PacketLink& l) { return Count{l.waiting()}; }));
}

py::dict packets_of(const PacketNetwork& network) {
    using Value = std::int64_t;
    const auto records = network.records();
    return py::dict("flow"_a = column<Value>(records, [](const PacketRecord& r) { return Value{r.flow}; }),
                    "number"_a = column<Value>(records, [](const PacketRecord& r) { return Value{r.number}; }),
                    "born_ns"_a = column<Value>(records, [](const PacketRecord& r) { return r.born; }),
                    "bytes"_a = column<Value>(records, [](const PacketRecord& r) { return Value{r.bytes}; }),
                    "delay_ns"_a = column<Value>(records, [](const PacketRecord& r) { return r.delay; }));
}

py::array_t<std::int64_t> quantiles(PacketNetwork& network, const array_in<double>& at) {
    for (const double q : view(at)) {
        if (!(q >= 0 && q <= 1)) throw InvalidArgument("q: expected numbers from 0 to 1, got " + std::to_string(q));
    }
    const auto flows = static_cast<py::ssize_t>(network.flows().size());
    py::array_t<std::int64_t> out({flows, at.size()});
    for (py::ssize_t f = 0; f < flows; ++f) {
        for (py::ssize_t k = 0; k < at.size(); ++k)
            out.mutable_at(f, k) = network.quantile(static_cast<std::size_t>(f), at.data()[k]);
    }
    return out;
}

}  // namespace

void bind_packets(py::module_& m) {
    py::class_<PacketNetwork>(m, "PacketNetwork",
                              "Packets over given paths through first in first out links. One thread owns it.")
        .def(py::init([](std::uint64_t seed, const py::dict& config) {
                 return std::make_unique<PacketNetwork>(read(seed, config));
             }),
             "seed"_a, "config"_a,
             "Fields of cpp/plant/packet_config.hpp by name, all of them; raises TypeError or ValueError.")
        // Seconds of modelled time are many milliseconds of work: other threads may run meanwhile.
        .def("run_until", &PacketNetwork::run_until, "time_ns"_a, py::call_guard<py::gil_scoped_release>(),
             "Everything that happens up to and including `time_ns`.")
        .def("run_to_end", &PacketNetwork::run_to_end, py::call_guard<py::gil_scoped_release>(),
             "Until the sources have ended and no packet is under way.")
        .def_property_readonly("now_ns", &PacketNetwork::now, "Time of the network, ns.")
        .def_property_readonly("ended", &PacketNetwork::ended, "Whether nothing will happen any more.")
        .def_property_readonly("under_way", &PacketNetwork::under_way, "Packets neither received nor lost.")
        .def_property_readonly("packet_hops", &PacketNetwork::packet_hops, "Transmissions begun since the start.")
        .def("flows", &flows_of, "Counts and sums by flow, as a dictionary of arrays.")
        .def("links", &links_of, "Counts by link, as a dictionary of arrays.")
        .def("packets", &packets_of, "The packets kept, in order of birth; delay -1: lost, -2: under way.")
        .def("quantiles", &quantiles, "q"_a.noconvert(),
             "Delay in ns that a share q of a flow's packets does not exceed (flows x q), within 0.4 %; -1: no "
             "packets.");
}

}  // namespace tiertwin::bindings
