// The session table and the names of its states, inputs, effects and changes. Convert, call, return.
#include <array>
#include <string>
#include <utility>

#include "bindings/common.hpp"
#include "sync/peer.hpp"

namespace tiertwin::bindings {

void bind_peer(py::module_& m);

namespace {

using sync::Change;
using sync::Event;
using sync::Input;
using sync::Session;
using sync::State;

constexpr std::array<const char*, sync::kStates> kStateNames{"new", "live", "gapped", "resyncing", "lost", "banned"};
constexpr std::array<const char*, sync::kInputs> kInputNames{
    "hello",     "welcome", "delta", "ack",      "snapshot", "resync", "heartbeat", "bye",   "barrier",    "solver",
    "bad_frame", "open",    "offer", "complete", "wait",     "retry",  "silence",   "death", "unreachable"};
constexpr std::array<const char*, 28> kEffectNames{"bye_fenced",    "bye_unknown", "bye_banned",     "bye_failed",
                                                   "send_hello",    "begin",       "welcome_resume", "welcome_snapshot",
                                                   "apply",         "ack_now",     "resync_gap",     "resync_snapshot",
                                                   "resync_chunk",  "stage",       "swap",           "send_from",
                                                   "send_snapshot", "send_chunks", "retransmit",     "truncate",
                                                   "note",          "hand_on",     "stale",          "suspect",
                                                   "alarm",         "bad",         "drop",           "unlisted"};
constexpr std::array<std::pair<const char*, Change>, 14> kChanges{{{"live", Change::live},
                                                                   {"gapped", Change::gapped},
                                                                   {"resyncing", Change::resyncing},
                                                                   {"lost", Change::lost},
                                                                   {"banned", Change::banned},
                                                                   {"suspect", Change::suspect},
                                                                   {"well", Change::well},
                                                                   {"swapped", Change::swapped},
                                                                   {"alarm", Change::alarm},
                                                                   {"term", Change::term},
                                                                   {"barrier", Change::barrier},
                                                                   {"bye", Change::bye},
                                                                   {"restarted", Change::restarted},
                                                                   {"attached", Change::attached}}};

template <std::size_t N>
py::dict numbered(const std::array<const char*, N>& names, bool bits) {
    py::dict out;
    for (std::size_t i = 0; i < N; ++i) out[names[i]] = bits ? std::size_t{1} << i : i;
    return out;
}

std::uint64_t unlisted(const Session& s, std::size_t state, std::size_t input) {
    return s.unlisted.at(state).at(input);
}

}  // namespace

void bind_session(py::module_& m) {
    m.attr("SESSION_STATES") = numbered(kStateNames, false);
    m.attr("SESSION_INPUTS") = numbered(kInputNames, false);
    m.attr("SESSION_EFFECTS") = numbered(kEffectNames, true);
    py::dict changes;
    for (const auto& [name, code] : kChanges) changes[name] = static_cast<int>(code);
    m.attr("PEER_EVENTS") = changes;

    m.def(
        "session_rows",
        [] {
            py::list rows;
            for (const sync::Row& r : sync::transitions()) {
                rows.append(py::make_tuple(r.states, r.inputs, static_cast<int>(r.when), r.next, r.effects));
            }
            return rows;
        },
        "The transition table: (states mask, inputs mask, condition, next state or -1, effects mask) a row.");

    py::class_<Session>(m, "Session", "State towards one peer; moves by `apply` only.")
        .def(py::init<>())
        .def(
            "apply",
            [](Session& self, int input, Time now_ns, std::uint64_t first, std::uint64_t last, std::uint64_t stream,
               std::uint32_t incarnation, std::uint32_t term, std::uint32_t index, std::uint32_t count,
               std::uint16_t reason, bool agree, bool allowed, Time echoed_at) {
                if (input < 0 || input >= static_cast<int>(sync::kInputs)) throw py::index_error("no such input");
                const Event event{static_cast<Input>(input),
                                  first,
                                  last,
                                  stream,
                                  incarnation,
                                  term,
                                  index,
                                  count,
                                  reason,
                                  agree,
                                  allowed,
                                  echoed_at};
                const sync::Outcome out = sync::apply(self, event, now_ns);
                return py::make_tuple(out.row, out.effects);
            },
            "input"_a, "now_ns"_a, py::kw_only(), "first"_a = 0, "last"_a = 0, "stream"_a = 0, "incarnation"_a = 0,
            "term"_a = 0, "index"_a = 0, "count"_a = 0, "reason"_a = 0, "agree"_a = true, "allowed"_a = true,
            "echoed_at"_a = sync::kLongAgo, "Move by one input; returns (row of the table, effects mask).")
        .def("note_sent", &sync::note_sent, "last"_a, "now_ns"_a, "Records up to `last` left.")
        .def("note_snapshot", &sync::note_snapshot, "number"_a, "now_ns"_a, "A snapshot as of `number` left.")
        .def("unlisted", &unlisted, "state"_a, "input"_a, "How often no row named (state, input).")
        .def_property_readonly("state", [](const Session& s) { return static_cast<int>(s.state); })
        .def_readonly("suspect", &Session::suspect)
        .def_readonly("attached", &Session::attached)
        .def_readonly("incarnation", &Session::incarnation)
        .def_readonly("term", &Session::term)
        .def_readonly("stream", &Session::stream)
        .def_readonly("cursor", &Session::cursor)
        .def_readonly("whole", &Session::whole)
        .def_readonly("as_of", &Session::as_of)
        .def_readonly("staged", &Session::staged)
        .def_readonly("failures", &Session::failures)
        .def_readonly("wait_at", &Session::wait_at)
        .def_readwrite("log_first", &Session::log_first)
        .def_readonly("sent", &Session::sent)
        .def_readonly("acked", &Session::acked)
        .def_readonly("acked_at", &Session::acked_at)
        .def_readonly("snapshot_out", &Session::snapshot_out)
        .def_readonly("retry_at", &Session::retry_at)
        .def_readonly("retry_every", &Session::retry_every)
        .def_readonly("patience", &Session::patience)
        .def_readonly("srtt", &Session::srtt)
        .def_readonly("heard_at", &Session::heard_at)
        .def_readonly("banned_until", &Session::banned_until);
    bind_peer(m);
}

}  // namespace tiertwin::bindings
