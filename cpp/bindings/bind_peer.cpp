// One neighbour. Convert, call, return: one crossing a frame (~2 us), the GIL stays held.
#include "bindings/frames.hpp"
#include "sync/peer.hpp"

namespace tiertwin::bindings {

void bind_durable(py::class_<sync::Peer>& peer);

namespace {

using sync::Grant;
using sync::LeaseTerms;
using sync::Peer;
using sync::PeerConfig;
using sync::Received;
using sync::Unit;
using sync::UnitRecords;

using BorderTuple = std::tuple<int, std::vector<AttributeId>>;
using TermsTuple = std::tuple<std::uint32_t, std::uint64_t, std::uint32_t, std::uint32_t, std::uint32_t>;

// A unit as Python keeps it: the grant goes with it, so that it can be stored on its own.
struct HandedUnit {
    Unit unit;
    std::optional<Grant> grant;
};

py::dict cells(const Unit& unit) {
    py::dict out;
    const std::vector<std::uint32_t>* last = nullptr;
    py::object rows;  // columns in a row mostly have the same rows: then they share one array
    for (const sync::UnitColumn& c : unit.columns) {
        if (last == nullptr || *last != c.rows) rows = fresh(std::span<const std::uint32_t>(c.rows));
        last = &c.rows;
        out[py::int_(c.attribute)] = py::make_tuple(rows, fresh(std::span<const double>(c.values)));
    }
    return out;
}

UnitRecords records(const array_in<std::int64_t>& attrs, const array_in<std::uint32_t>& rows,
                    const array_in<double>& values, Time time_ns) {
    const auto ids = view(attrs);
    const auto row_span = view(rows);
    const auto value_span = view(values);
    if (ids.size() != row_span.size() || ids.size() != value_span.size()) {
        throw py::value_error("Expected as many attributes as rows and values, got " + std::to_string(ids.size()) +
                              ", " + std::to_string(row_span.size()) + " and " + std::to_string(value_span.size()));
    }
    UnitRecords out;
    out.time = time_ns;
    out.rows.assign(row_span.begin(), row_span.end());
    out.values.assign(value_span.begin(), value_span.end());
    out.attributes.reserve(ids.size());
    for (const std::int64_t id : ids) {
        if (id < 0 || id > 0xffff)
            throw py::value_error("Expected attribute ids in 0 … 65535, got " + std::to_string(id));
        out.attributes.push_back(static_cast<AttributeId>(id));
    }
    return out;
}

void bind_received(py::module_& m) {
    py::class_<Grant>(m, "Lease", "A budget's lease, counted on our own clock; read-only.")
        .def_property_readonly("epoch", [](const Grant& g) { return sync::base_epoch_of(g.lease.epoch); })
        .def_property_readonly("term", [](const Grant& g) { return sync::term_of(g.lease.epoch); })
        .def_property_readonly("basis", [](const Grant& g) { return g.lease.basis_version; })
        .def_property_readonly("validity_ms", [](const Grant& g) { return g.lease.validity_ms; })
        .def_property_readonly("age_ms", [](const Grant& g) { return g.lease.age_ms; })
        .def_property_readonly("echo", [](const Grant& g) { return g.lease.echo; })
        .def_property_readonly("flags", [](const Grant& g) { return g.lease.flags; })
        .def_readonly("until_ns", &Grant::until);
    py::class_<HandedUnit>(m, "Unit", "Records of one unit table that take effect together; read-only.")
        .def_property_readonly("table", [](const HandedUnit& u) { return u.unit.table; })
        .def_property_readonly("time_ns", [](const HandedUnit& u) { return u.unit.time; })
        .def_property_readonly("cells", [](const HandedUnit& u) { return cells(u.unit); })
        .def_readonly("lease", &HandedUnit::grant);
    py::class_<Received>(m, "Received", "What one call to a Peer led to; read-only.")
        .def_readonly("kind", &Received::kind)
        .def_readonly("table", &Received::table)
        .def_readonly("count", &Received::count)
        .def_readonly("accepted", &Received::accepted)
        .def_property_readonly("reason", [](const Received& r) { return static_cast<int>(r.verdict.reason); })
        .def_property_readonly("at", [](const Received& r) { return r.verdict.at; })
        .def_readonly("epoch", &Received::epoch)
        .def_readonly("lease", &Received::grant)
        .def_property_readonly(
            "quiet", [](const Received& r) { return r.changes.empty() && r.units.empty(); },
            "Nothing but `reply` to see to: no events, no units.")
        .def_property_readonly("reply", [](const Received& r) { return to_list(r.reply); })
        .def_property_readonly("events",
                               [](const Received& r) {
                                   py::list out;
                                   for (const sync::Change c : r.changes) out.append(static_cast<int>(c));
                                   return out;
                               })
        .def(
            "units",
            [](const Received& r) {
                py::list out;
                for (const Unit& unit : r.units) {
                    out.append(HandedUnit{unit, unit.lease ? r.grant : std::nullopt});
                }
                return out;
            },
            "Units that are complete with this call.")
        .def(
            "unit",
            [](const Received& r) -> py::object {
                if (r.units.empty()) return py::none();
                return cells(r.units.front());
            },
            "Cells of the first unit: attribute -> (rows u32[n], values f64[n]), or None.");
}

void bind_state_of(py::class_<Peer>& peer) {
    peer.def_readwrite("epoch", &Peer::epoch)
        .def_readwrite("age_ms", &Peer::age_ms)
        .def_property(
            "health", [](const Peer& p) { return p.health; },
            [](Peer& p, int health) {
                if (health < 1 || health > 3) throw py::value_error("Expected health 1 ok, 2 degraded or 3 draining");
                p.health = static_cast<std::uint8_t>(health);
            })
        .def_readwrite("snapshots_open", &Peer::snapshots_open)
        .def_property_readonly("snapshots", [](const Peer& p) { return p.outbox().counters().snapshots; })
        .def_property_readonly("snapshot_active", [](const Peer& p) { return p.outbox().snapshot_active(); })
        .def_property_readonly("state", [](const Peer& p) { return static_cast<int>(p.session().state); })
        .def_property_readonly("suspect", [](const Peer& p) { return p.session().suspect; })
        .def_property_readonly("attached", [](const Peer& p) { return p.session().attached; })
        .def_property_readonly("cursor", [](const Peer& p) { return p.session().cursor; })
        .def_property_readonly("acked", [](const Peer& p) { return p.session().acked; })
        .def_property_readonly("sent", [](const Peer& p) { return p.session().sent; })
        .def_property_readonly("last", [](const Peer& p) { return p.outbox().last(); })
        .def_property_readonly("held_units", [](const Peer& p) { return p.outbox().held_units(); })
        .def_property_readonly("is_child", [](const Peer& p) { return p.config().is_child; })
        .def_property_readonly("incarnation", [](const Peer& p) { return p.config().incarnation; })
        .def_property_readonly("stream_id", [](const Peer& p) { return p.config().stream_id; })
        .def_property_readonly("peer_incarnation", [](const Peer& p) { return p.session().incarnation; })
        .def_property_readonly("peer_stream_id", [](const Peer& p) { return p.session().stream; })
        .def_property_readonly("term", &Peer::term)
        .def_property_readonly("out_digest", &Peer::out_digest)
        .def_property_readonly("in_digest", &Peer::in_digest)
        .def_property_readonly("peer_epoch",
                               [](const Peer& p) { return sync::base_epoch_of(p.peer_heartbeat().epoch); })
        .def_property_readonly("peer_term", [](const Peer& p) { return sync::term_of(p.peer_heartbeat().epoch); })
        .def_property_readonly("peer_age_ms", [](const Peer& p) { return p.peer_heartbeat().age_ms; })
        .def_property_readonly("peer_health", [](const Peer& p) { return p.peer_heartbeat().state; })
        .def_property_readonly("peer_counter", [](const Peer& p) { return p.peer_heartbeat().counter; })
        .def_property_readonly("heard_ns", [](const Peer& p) { return p.session().heard_at; })
        .def_property_readonly("rtt_ns", &Peer::rtt)
        .def_property_readonly("acknowledged_in_ns", [](const Peer& p) { return p.session().srtt; })
        .def_property_readonly("patience_ns", [](const Peer& p) { return p.session().patience; })
        .def_property_readonly("next_ns", &Peer::next_tick)
        .def("peer_age", &Peer::peer_age, "now_ns"_a,
             "Age of the peer's oldest input, ms: as it said, plus the time since; 2^32 - 1 unknown.")
        .def("heartbeat_sent_ns", &Peer::heartbeat_sent, "counter"_a, "When our heartbeat left; -1 unknown.")
        .def("counters", &Peer::counters, "Everything counted since the object was made, by name.");
}

}  // namespace

void bind_peer(py::module_& m) {
    bind_received(m);
    py::class_<Peer> peer(m, "Peer",
                          "One neighbour: `for f in peer.connect(now): send(f)`; `r = peer.receive(frame, now)`, send "
                          "r.reply, use r.units(); `publish(now)` each report; `tick(now)` at least every 50 ms.");
    peer.def(py::init([](const AttributeRegistry& registry, bool is_child, std::uint32_t incarnation,
                         std::uint64_t stream_id, std::uint32_t heartbeat_ms, bool virtual_clock, std::uint32_t epoch,
                         std::uint32_t term, std::uint32_t credit_frames, std::uint32_t credit_bytes,
                         std::uint32_t snapshot_every_ms, std::size_t max_frame_bytes, bool durable,
                         const std::optional<BorderTuple>& border) {
                 PeerConfig config{is_child, incarnation,   stream_id,    heartbeat_ms,      virtual_clock,   epoch,
                                   term,     credit_frames, credit_bytes, snapshot_every_ms, max_frame_bytes, durable,
                                   {}};
                 if (border) config.border = std::make_from_tuple<sync::Border>(*border);
                 return std::make_unique<Peer>(registry, config);
             }),
             "registry"_a, py::kw_only(), "is_child"_a, "incarnation"_a, "stream_id"_a, "heartbeat_ms"_a = 250,
             "virtual_clock"_a = false, "epoch"_a = 0, "term"_a = 0, "credit_frames"_a = 64,
             "credit_bytes"_a = 4U << 20U, "snapshot_every_ms"_a = 5000, "max_frame_bytes"_a = sync::kCutBytes,
             "durable"_a = false, "border"_a = py::none(), py::keep_alive<1, 2>())
        .def("add_out", &Peer::add_out, "table"_a, py::keep_alive<1, 2>(), "A sample table that goes to this peer.")
        .def("add_in", &Peer::add_in, "table"_a, py::keep_alive<1, 2>(), "A sample table that this peer writes.")
        .def("add_unit_out", &Peer::add_unit_out, "table_id"_a, "attributes"_a, "rows"_a,
             "A unit table (cut, point, query, budget …) that goes to this peer.")
        .def("add_unit_in", &Peer::add_unit_in, "table_id"_a, "attributes"_a, "rows"_a,
             "A unit table that this peer writes.")
        .def(
            "connect", [](Peer& p, Time now) { return to_list(p.connect(now)); }, "now_ns"_a,
            "Open a session (child): [HELLO].")
        .def(
            "receive",
            [](Peer& p, const py::object& frame, Time now) {
                const FrameBuffer buffer(frame);
                return p.receive(buffer.bytes(), now);
            },
            "frame"_a, "now_ns"_a, "Take one frame, read in place; never raises for what the peer sent.")
        .def(
            "publish", [](Peer& p, Time now) { return to_list(p.publish(now)); }, "now_ns"_a,
            "DELTAs of pending cells, as far as credit goes.")
        .def(
            "send_unit",
            [](Peer& p, std::uint16_t table, const array_in<std::int64_t>& attrs, const array_in<std::uint32_t>& rows,
               const array_in<double>& values, Time time_ns, Time now, const std::optional<TermsTuple>& lease) {
                std::optional<LeaseTerms> terms;
                if (lease) terms = std::make_from_tuple<LeaseTerms>(*lease);
                return to_list(p.send_unit(table, records(attrs, rows, values, time_ns), terms, now));
            },
            "table_id"_a, "attrs"_a.noconvert(), "rows"_a.noconvert(), "values"_a.noconvert(), "time_ns"_a, "now_ns"_a,
            "lease"_a = py::none(), "Send a unit now, or hold it until session and credit allow.")
        .def("tick", &Peer::tick, "now_ns"_a, "Timers: heartbeat, ACK, retry, gap, silence, HELLO again.")
        .def(
            "barrier", [](Peer& p, std::uint64_t epoch, Time) { return to_list(p.barrier(epoch)); }, "epoch"_a,
            "now_ns"_a, "[BARRIER] while attached (virtual clock only).")
        .def(
            "bye",
            [](Peer& p, std::uint16_t reason, const std::string& text, Time now) {
                return to_list(p.bye(reason, text, now));
            },
            "reason"_a, "text"_a, "now_ns"_a, "End the session; [BYE].")
        .def("lost", &Peer::lost, "now_ns"_a, "The transport says that the peer is gone.");
    bind_state_of(peer);
    bind_durable(peer);
}

}  // namespace tiertwin::bindings
