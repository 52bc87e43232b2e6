// From the bytes of a log's files to a verdict, and its frames into tables. Convert, call, return.
#include <array>

#include "base/error.hpp"
#include "bindings/frames.hpp"
#include "log/recover.hpp"
#include "log/replay.hpp"

namespace tiertwin::bindings {

void bind_log_recovery(py::module_& m);

namespace {

using log::Recovery;
using sync::Bytes;

constexpr std::array<const char*, 3> kActions{"fresh", "resume", "restart"};
constexpr std::array<const char*, 3> kRecordKinds{"frame", "event", "mark"};

// Buffers of several files, held for the length of a call.
class Files {
  public:
    explicit Files(const py::sequence& given) {
        held_.reserve(py::len(given));
        for (const py::handle& one : given) held_.push_back(std::make_unique<FrameBuffer>(one));
        for (const auto& one : held_) bytes_.push_back(one->bytes());
    }
    [[nodiscard]] std::span<const Bytes> bytes() const { return bytes_; }

  private:
    std::vector<std::unique_ptr<FrameBuffer>> held_;
    std::vector<Bytes> bytes_;
};

std::string fault_name(log::Fault fault) { return std::string(log::name_of(fault)); }

py::list findings(const std::vector<log::Finding>& all) {
    py::list out;
    for (const log::Finding& f : all) out.append(py::make_tuple(fault_name(f.fault), f.at));
    return out;
}

Bytes frame_at(const log::Place& place, std::span<const Bytes> files) {
    if (place.file >= files.size() || place.offset + place.length > files[place.file].size()) {
        throw InvalidArgument("expected the segments that were recovered, in their order; got others");
    }
    return files[place.file].subspan(place.offset, place.length);
}

py::list frames(const std::vector<log::Place>& places, const py::sequence& segments) {
    const Files files(segments);
    py::list out;
    for (const log::Place& p : places) {
        const Bytes frame = frame_at(p, files.bytes());
        out.append(py::make_tuple(p.peer, py::bytes(reinterpret_cast<const char*>(frame.data()), frame.size())));
    }
    return out;
}

// (cursor, cells applied, frames of other tables)
py::tuple replay(const Recovery& self, std::uint16_t peer, const std::vector<StateTable*>& tables,
                 const py::sequence& segments, const py::object& snapshot) {
    log::Replay out(tables);
    if (!snapshot.is_none()) {
        const FrameBuffer buffer(snapshot);
        log::SnapshotFile file;
        if (!log::decode_snapshot_file(buffer.bytes(), file).ok()) {
            throw InvalidArgument("expected the snapshot that was recovered, got one that is refused");
        }
        log::Cursor held{peer, peer == 0 ? file.header.stream : 0, peer == 0 ? file.header.next_number - 1 : 0};
        for (const log::Cursor& c : file.cursors) held = peer != 0 && c.peer == peer ? c : held;
        for (const log::Record& record : file.records) {
            if (record.link.peer == peer) require_ok(out.take(record.frame));
        }
        out.go_on(held.stream, held.cursor);
    }
    const Files files(segments);
    for (const log::Place& place : self.replay) {
        if (place.peer == peer) require_ok(out.take(frame_at(place, files.bytes())));
    }
    return py::make_tuple(out.cursor(), out.applied(), out.skipped());
}

// (kind, peer, offset, bytes of the frame, group_start, from_spill) a record; then (fault, at) where it ends.
py::tuple records_of(const py::object& file) {
    const FrameBuffer buffer(file);
    log::FileHeader header;
    const log::Finding found = log::decode(buffer.bytes(), header);
    py::list out;
    if (!found.ok()) return py::make_tuple(out, py::make_tuple(fault_name(found.fault), found.at));
    log::Reader reader(buffer.bytes(), header.crc, log::kFileHeaderBytes, header.chain);
    for (log::Record r; reader.next(r);) {
        out.append(py::make_tuple(kRecordKinds.at(static_cast<std::size_t>(r.link.kind) - 1), r.link.peer, r.offset,
                                  r.link.length, r.link.group_start(), r.link.from_spill()));
    }
    return py::make_tuple(out, py::make_tuple(fault_name(reader.finding().fault), reader.offset()));
}

py::dict header_of(const py::object& file) {
    const FrameBuffer buffer(file);
    log::FileHeader h;
    if (const log::Finding found = log::decode(buffer.bytes(), h); !found.ok()) {
        throw InvalidArgument("header of a log file refused at byte " + std::to_string(found.at) + ": " +
                              fault_name(found.fault));
    }
    return py::dict("kind"_a = h.kind == log::FileKind::segment ? "segment" : "snapshot", "node"_a = h.node,
                    "stream"_a = h.stream, "next_number"_a = h.next_number, "position"_a = h.position,
                    "sequence"_a = h.sequence, "salt"_a = h.salt, "bytes"_a = h.bytes, "spilled"_a = h.spilled,
                    "drained"_a = h.drained, "chain"_a = h.chain, "cursors"_a = h.cursors, "crc"_a = h.crc);
}

}  // namespace

void bind_log_recovery(py::module_& m) {
    py::class_<Recovery>(m, "LogRecovery", "What to load, where to go on, what to refuse. Read-only.")
        .def_property_readonly("action",
                               [](const Recovery& r) { return kActions.at(static_cast<std::size_t>(r.action)); })
        .def_property_readonly("segments", [](const Recovery& r) { return findings(r.segments); })
        .def_property_readonly("snapshots", [](const Recovery& r) { return findings(r.snapshots); })
        .def_readonly("culprit", &Recovery::culprit)
        .def_property_readonly("why", [](const Recovery& r) { return fault_name(r.why); })
        .def_readonly("snapshot", &Recovery::snapshot)
        .def_readonly("acked", &Recovery::acked)
        .def_readonly("end", &Recovery::end)
        .def_readonly("last_segment", &Recovery::last_segment)
        .def_readonly("last_group", &Recovery::last_group)
        .def_readonly("dirty_end", &Recovery::dirty_end)
        .def_property_readonly("records", [](const Recovery& r) { return r.replay.size(); })
        .def(
            "unacked", [](const Recovery& r, const py::sequence& files) { return frames(r.unacked, files); },
            "segments"_a, "Own frames that the parent has not made durable: (0, frame) each.")
        .def(
            "waiting", [](const Recovery& r, const py::sequence& files) { return frames(r.waiting, files); },
            "segments"_a, "Spilled events that have no number yet: (0, frame) each.")
        .def(
            "frames", [](const Recovery& r, const py::sequence& files) { return frames(r.replay, files); },
            "segments"_a, "All frames behind the snapshot: (peer, frame) each, in their order.")
        .def("replay", &replay, "peer"_a, "tables"_a, "segments"_a, "snapshot"_a = py::none(),
             "Bring the tables of a peer's stream up to the log: (cursor, cells applied, frames of other tables).");
    m.def(
        "recover_log",
        [](const std::string& node, const py::sequence& segments, const py::sequence& snapshots, std::uint64_t stream) {
            const Files logs(segments), marks(snapshots);
            return log::recover({node, stream}, logs.bytes(), marks.bytes());
        },
        "node"_a, "segments"_a, "snapshots"_a, "stream"_a = 0, "The verdict on the bytes of a node's log files.");
    m.def("log_records", &records_of, "segment"_a,
          "(kind, peer, offset, bytes, group_start, from_spill) of each record; then (fault, offset) of the end.");
    m.def("log_header", &header_of, "file"_a, "Fields of a log file's header.");
}

}  // namespace tiertwin::bindings
