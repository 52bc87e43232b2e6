// Frames: header, deltas, units, checksum. Convert, call, return; short kernels keep the GIL.
#include "base/error.hpp"
#include "bindings/frames.hpp"
#include "sync/crc32c.hpp"
#include "sync/ingest.hpp"

namespace tiertwin::bindings {

void bind_kinds(py::module_& m);
void bind_snapshot(py::module_& m);

namespace {

using sync::Lease;

py::list to_list(std::vector<sync::EncodedDelta> frames) {
    py::list out;
    for (const sync::EncodedDelta& delta : frames) out.append(to_bytes(delta.frame));
    return out;
}

// (attribute, type, base_time_ns, rows u32[n], dt_us u32[n] | None, values f64[n] | list[bytes])
py::tuple block_to_python(const sync::BlockView& b) {
    const auto column = [&](const std::uint8_t* from) -> py::object {
        if (from == nullptr) return py::none();
        py::array_t<std::uint32_t> out(static_cast<py::ssize_t>(b.n));
        std::memcpy(out.mutable_data(), from, 4 * std::size_t{b.n});
        return out;
    };
    py::object values;
    if (b.type == ValueType::bytes) {
        py::list texts;
        std::vector<std::uint32_t> offsets(b.n + std::size_t{1});
        std::memcpy(offsets.data(), b.values, 4 * offsets.size());
        for (std::size_t i = 0; i < b.n; ++i) {
            texts.append(py::bytes(reinterpret_cast<const char*>(b.data) + offsets[i], offsets[i + 1] - offsets[i]));
        }
        values = texts;
    } else {
        values = fresh(std::span<const double>(sync::values_of(b)));
    }
    return py::make_tuple(b.attribute, std::string(name_of(b.type)), b.base_time, column(b.rows), column(b.dt), values);
}

py::list decode_blocks(const py::object& frame) {
    const FrameBuffer buffer(frame);
    const sync::Header header = require_header(buffer.bytes());
    if (!sync::has_table(header.kind)) require_ok({sync::Reason::kind, 3});
    std::size_t at = sync::kHeaderBytes + (header.kind == sync::Kind::snapshot ? sync::kSnapshotPrefixBytes : 0) +
                     (header.table == sync::kBudget ? sync::kLeaseBytes : 0);
    if (at > buffer.bytes().size()) require_ok({sync::Reason::body_length, sync::kHeaderBytes});
    py::list out;
    sync::BlockView block;
    for (sync::Bytes rest = buffer.bytes().subspan(at); !rest.empty(); rest = rest.subspan(block.size)) {
        sync::Verdict verdict = sync::parse_block(rest, false, block);
        verdict.at += static_cast<std::size_t>(rest.data() - buffer.bytes().data());
        require_ok(verdict);
        out.append(block_to_python(block));
    }
    return out;
}

void bind_header(py::module_& m) {
    using sync::Header;
    py::class_<Header>(m, "Header", "The 40 bytes before every body; read-only.")
        .def_readonly("version", &Header::version)
        .def_property_readonly("kind", [](const Header& h) { return static_cast<int>(h.kind); })
        .def_readonly("table", &Header::table)
        .def_readonly("flags", &Header::flags)
        .def_readonly("body_length", &Header::body_length)
        .def_readonly("count", &Header::count)
        .def_readonly("crc", &Header::crc)
        .def_readonly("incarnation", &Header::incarnation)
        .def_readonly("number", &Header::number)
        .def_readonly("fingerprint", &Header::fingerprint);
    m.def(
        "decode_header", [](const py::object& frame) { return require_header(FrameBuffer(frame).bytes()); }, "frame"_a,
        "The header, all its checks and the crc32c on; CoreRefusedError with .reason and .at otherwise.");
    m.def(
        "restamp",
        [](const py::object& frame, std::uint32_t incarnation, bool retransmit) {
            const FrameBuffer buffer(frame);
            sync::Frame copy(buffer.bytes().begin(), buffer.bytes().end());
            sync::restamp(copy, incarnation, retransmit);
            return to_bytes(copy);
        },
        "frame"_a, "incarnation"_a, "retransmit"_a = true, "The same frame to be sent again: incarnation, flag, crc.");
    m.def(
        "crc32c",
        [](const py::object& data, std::uint32_t crc) { return sync::crc32c(crc, FrameBuffer(data).bytes()); },
        "data"_a, "crc"_a = 0, "CRC-32C, by the CPU's instruction where it has one.");
    py::dict reasons;
    for (const auto& [reason, name] : sync::kReasons) reasons[py::str(std::string(name))] = static_cast<int>(reason);
    m.attr("REASONS") = reasons;
}

void bind_delta(py::module_& m) {
    m.def(
        "encode_delta",
        [](StateTable& table, std::uint64_t number, std::uint32_t incarnation, std::size_t max_bytes,
           std::size_t max_frames, std::size_t total_bytes) {
            return to_list(sync::encode_delta(table, number, incarnation, {max_bytes, max_frames, total_bytes}));
        },
        "table"_a, "number"_a, "incarnation"_a, "max_bytes"_a = sync::kCutBytes, "max_frames"_a = SIZE_MAX,
        "total_bytes"_a = SIZE_MAX, "Number and encode pending cells; what the limits hold back stays pending.");
    m.def(
        "encode_unit",
        [](StateTable& table, std::uint64_t number, std::uint32_t incarnation, const std::optional<LeaseTuple>& lease,
           bool plan, std::size_t max_bytes) {
            return to_list(sync::encode_unit(table, number, incarnation, to_lease(lease), plan, max_bytes));
        },
        "table"_a, "number"_a, "incarnation"_a, "lease"_a = py::none(), "plan"_a = false,
        "max_bytes"_a = sync::kMaxFrameBytes, "Everything pending as one unit (a row of query, cut, point; a plan).");
    m.def(
        "ingest",
        [](StateTable& table, const py::object& frame, std::uint64_t cursor) {
            const FrameBuffer buffer(frame);
            const sync::Header header = require_header(buffer.bytes());
            if (header.kind != sync::Kind::delta) require_ok({sync::Reason::kind, 3});
            const sync::Ingested result = sync::ingest(table, header, buffer.bytes(), cursor);
            require_ok(result.verdict);
            return result.applied;
        },
        "table"_a, "frame"_a, "cursor"_a = 0,
        "Check a DELTA, then apply what lies beyond `cursor`; cells that changed. A bad frame applies nothing.");
    m.def(
        "decode_lease",
        [](const py::object& frame) {
            const FrameBuffer buffer(frame);
            const sync::Header header = require_header(buffer.bytes());
            if (header.table != sync::kBudget) return py::object(py::none());
            const std::size_t at = header.kind == sync::Kind::snapshot ? sync::kSnapshotPrefixBytes : 0;
            const sync::Bytes body = sync::body_of(buffer.bytes());
            if (body.size() < at) require_ok({sync::Reason::body_length, sync::kHeaderBytes});
            Lease lease;
            require_ok(sync::decode(body.subspan(at), lease));
            return from_lease(lease);
        },
        "frame"_a, "(epoch, basis_version, validity_ms, age_ms, echo, flags) of a budget frame, else None.");
    m.def(
        "decode_blocks", &decode_blocks, "frame"_a,
        "Blocks of a DELTA or SNAPSHOT: (attribute, type, base_time_ns, rows, dt_us or None, values); structure only.");
}

}  // namespace

void bind_sync(py::module_& m) {
    bind_header(m);
    bind_kinds(m);
    bind_delta(m);
    bind_snapshot(m);
}

}  // namespace tiertwin::bindings
