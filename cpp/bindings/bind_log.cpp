// The log: writer, recovery, snapshot files, replay. Convert, call, return; short kernels keep the GIL.
#include "base/error.hpp"
#include "bindings/frames.hpp"
#include "log/replay.hpp"
#include "log/writer.hpp"

namespace tiertwin::bindings {

void bind_log_recovery(py::module_& m);

namespace {

using log::Group;
using log::LogEnd;
using log::LogWriter;
using log::RecordKind;

log::WriterConfig config_of(const std::string& node, std::uint64_t stream, std::uint64_t salt,
                            std::uint64_t segment_bytes) {
    return {node, stream, salt, segment_bytes};
}

py::list pieces_of(const Group& group) {
    py::list out;
    for (const log::Piece& p : group.pieces) {
        out.append(py::make_tuple(p.sequence, p.offset, p.begin, p.size, p.creates));
    }
    return out;
}

// The group keeps its bytes while a view of it is alive; they never change.
py::buffer_info bytes_of(const Group& group) {
    auto* data = const_cast<std::uint8_t*>(group.bytes.data());  // NOLINT: read-only below
    return {data, 1,   py::format_descriptor<std::uint8_t>::format(), 1, {static_cast<py::ssize_t>(group.bytes.size())},
            {1},  true};
}

py::list starts_of(const LogWriter& writer) {
    py::list out;
    for (const log::SegmentStart& s : writer.segments()) {
        out.append(py::make_tuple(s.sequence, s.position, s.next_number, s.spilled));
    }
    return out;
}

void bind_writer(py::module_& m) {
    py::class_<LogEnd>(m, "LogEnd", "Where a log goes on: what recovery hands to a writer. Read-only.")
        .def_readonly("sequence", &LogEnd::sequence)
        .def_readonly("offset", &LogEnd::offset)
        .def_readonly("bytes", &LogEnd::bytes)
        .def_readonly("position", &LogEnd::position)
        .def_readonly("chain", &LogEnd::chain)
        .def_property_readonly("stream", [](const LogEnd& e) { return e.streams.stream(); })
        .def_property_readonly("next_number", [](const LogEnd& e) { return e.streams.next_number(); })
        .def_property_readonly("spilled", [](const LogEnd& e) { return e.streams.spilled(); })
        .def_property_readonly("drained", [](const LogEnd& e) { return e.streams.drained(); })
        .def(
            "cursor", [](const LogEnd& e, std::uint16_t peer) { return e.streams.of(peer).cursor; }, "peer"_a,
            "Highest number of this peer's stream in the log; of peer 0: last own number.")
        .def(
            "stream_of", [](const LogEnd& e, std::uint16_t peer) { return e.streams.of(peer).stream; }, "peer"_a,
            "Stream id of a peer; 0: nobody named it.")
        .def_property_readonly("peers", [](const LogEnd& e) {
            py::list out;
            for (const log::Cursor& c : e.streams.peers()) out.append(c.peer);
            return out;
        });

    py::class_<Group, std::shared_ptr<Group>>(m, "LogGroup", py::buffer_protocol(),
                                              "Bytes to be written and synced together; a read-only buffer.")
        .def_buffer([](Group& group) { return bytes_of(group); })
        .def(
            "view", [](const py::object& self) { return py::memoryview(self); }, "The bytes, read-only.")
        .def("__len__", [](const Group& group) { return group.bytes.size(); })
        .def_property_readonly(
            "pieces", &pieces_of,
            "(segment, offset, begin, size, bytes of the file it creates or 0) in the order of writing.")
        .def_readonly("records", &Group::records)
        .def_readonly("last_position", &Group::last_position);

    py::class_<LogWriter>(m, "LogWriter", "Records into groups of bytes, and what of them is durable. No I/O.")
        .def(py::init([](const std::string& node, std::uint64_t stream, std::uint64_t salt,
                         const std::optional<LogEnd>& end, std::uint64_t segment_bytes) {
                 const log::WriterConfig config = config_of(node, stream, salt, segment_bytes);
                 return end ? LogWriter(config, *end) : LogWriter(config);
             }),
             "node"_a, "stream"_a, "salt"_a, "end"_a = py::none(), "segment_bytes"_a = log::kSegmentBytes)
        .def(
            "append",
            [](LogWriter& self, std::uint16_t peer, const py::object& frame, bool event, bool from_spill) {
                const FrameBuffer buffer(frame);
                return self.append(peer, buffer.bytes(), event ? RecordKind::event : RecordKind::frame, from_spill);
            },
            "peer"_a, "frame"_a, py::kw_only(), "event"_a = false, "from_spill"_a = false,
            "Put a sealed frame into the open group; its position, from 1.")
        .def("mark", &LogWriter::mark, "Say that all before is synced, if nothing else is in the open group.")
        .def(
            "take", [](LogWriter& self) { return std::const_pointer_cast<Group>(self.take()); },
            "Close the open group; it is in flight until `synced`.")
        .def("synced", &LogWriter::synced, "The group in flight is durable.")
        .def_property_readonly("open_bytes", &LogWriter::open_bytes)
        .def_property_readonly("open_records", &LogWriter::open_records)
        .def_property_readonly("in_flight", &LogWriter::in_flight)
        .def_property_readonly("appended", &LogWriter::appended)
        .def_property_readonly("durable", &LogWriter::durable)
        .def_property_readonly("end", &LogWriter::end, "With all that was appended.")
        .def(
            "durable_cursor",
            [](const LogWriter& self, std::uint16_t peer) { return self.durable_streams().of(peer).cursor; }, "peer"_a,
            "What an ACK may call durable of this peer's stream; of peer 0: last durable own number.")
        .def_property_readonly(
            "durable_peers",
            [](const LogWriter& self) {
                py::list out;
                for (const log::Cursor& c : self.durable_streams().peers())
                    out.append(py::make_tuple(c.peer, c.stream, c.cursor));
                return out;
            },
            "(peer, stream, durable cursor) of all peers with a stream.")
        .def_property_readonly("durable_drained", [](const LogWriter& w) { return w.durable_streams().drained(); })
        .def_property_readonly("segments", &starts_of, "(sequence, position, next_number, spilled) of those it began.")
        .def(
            "snapshot",
            [](const LogWriter& self, std::uint64_t acked,
               const std::vector<std::pair<std::uint16_t, py::bytes>>& given) {
                std::vector<log::Cursor> cursors{{0, self.config().stream, acked}};
                for (const log::Cursor& c : self.end().streams.peers()) cursors.push_back(c);
                std::vector<log::SnapshotFrame> frames;
                for (const auto& [peer, frame] : given) {
                    const std::string_view text = frame;
                    frames.push_back({peer, {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}});
                }
                return to_bytes(log::encode_snapshot_file(self.snapshot_header(), cursors, frames));
            },
            "acked"_a, "frames"_a,
            "A snapshot file of all that was appended, of (peer, SNAPSHOT frame); for when `durable` has come so far.");
}

}  // namespace

void bind_log(py::module_& m) {
    py::dict faults;
    for (const auto& [fault, name] : log::kFaults) faults[py::str(std::string(name))] = static_cast<int>(fault);
    m.attr("LOG_FAULTS") = faults;
    m.attr("LOG_SEGMENT_BYTES") = log::kSegmentBytes;
    m.attr("LOG_HEADER_BYTES") = log::kFileHeaderBytes;
    m.attr("LOG_LINK_BYTES") = log::kLinkBytes;
    bind_writer(m);
    bind_log_recovery(m);
}

}  // namespace tiertwin::bindings
