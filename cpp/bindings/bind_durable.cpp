// A neighbour whose stream upwards is kept in a log. Convert, call, return.
#include "bindings/frames.hpp"
#include "sync/peer.hpp"

namespace tiertwin::bindings {

void bind_durable(py::class_<sync::Peer>& peer);

namespace {

using sync::Peer;

// Tables as Python knows them; those that the peer owns live as long as it does.
py::list tables_of(const std::vector<StateTable*>& tables, const py::object& owner) {
    py::list out;
    for (StateTable* table : tables) out.append(py::cast(table, py::return_value_policy::reference_internal, owner));
    return out;
}

std::vector<sync::Frame> frames_of(const py::sequence& given) {
    std::vector<sync::Frame> out;
    for (const py::handle& one : given) {
        const FrameBuffer buffer(one);
        out.emplace_back(buffer.bytes().begin(), buffer.bytes().end());
    }
    return out;
}

}  // namespace

void bind_durable(py::class_<Peer>& peer) {
    peer.def(
            "take_unlogged", [](Peer& p) { return to_list(p.take_unlogged()); },
            "Own frames numbered since the last call; each goes into the log before anything else does (child).")
        .def(
            "released", [](Peer& p, std::uint64_t number, Time now) { return to_list(p.released(number, now)); },
            "number"_a, "now_ns"_a, "Our log has our stream on disk up to `number`: frames that may leave (child).")
        .def(
            "logged",
            [](Peer& p, std::uint64_t stream, std::uint64_t durable, std::uint64_t at_root, Time now) {
                return to_list(p.logged(stream, durable, at_root, now));
            },
            "stream"_a, "durable"_a, "at_root"_a, "now_ns"_a,
            "Our log has the child's stream on disk up to `durable`: an ACK, if that rose (parent).")
        .def("number_pending", &Peer::number_pending,
             "Number what is pending though there is no session, so that a snapshot of the log can hold it (child).")
        .def("resume_in", &Peer::resume_in, "stream"_a, "cursor"_a,
             "Go on with the child's stream behind `cursor`, its tables restored; .units() is what unit tables hold.")
        .def(
            "resume_out",
            [](Peer& p, std::uint64_t last, const py::sequence& frames) { p.resume_out(last, frames_of(frames)); },
            "last"_a, "frames"_a, "Go on with our own stream behind `last`; frames that the parent may lack (child).")
        .def_property_readonly(
            "in_tables", [](const py::object& self) { return tables_of(self.cast<const Peer&>().in_tables(), self); },
            "All tables that the peer writes, unit tables included.")
        .def_property_readonly(
            "out_tables", [](const py::object& self) { return tables_of(self.cast<Peer&>().out_tables(), self); },
            "All tables that go to the peer, unit tables included.")
        .def_property_readonly("durable", [](const Peer& p) { return p.config().durable; })
        .def_property_readonly("durable_in", &Peer::durable_in, "What we acknowledge as durable of the child's stream.")
        .def_property_readonly("durable_out", &Peer::durable_out, "What was acknowledged to us as durable.")
        .def_property_readonly("at_root_out", &Peer::at_root_out, "What was acknowledged to us as applied at the root.")
        .def_property_readonly("outdone", &Peer::outdone, "The parent has numbers of our stream that our log has lost.")
        .def_property_readonly("settled", &Peer::settled, "Own records up to here need no log any more.");
}

}  // namespace tiertwin::bindings
